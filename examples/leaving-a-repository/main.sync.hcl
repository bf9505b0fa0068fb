# Before: two services share a folder's secrets, "legacy" with a deployment environment.
# The day comes when legacy is to be left: after/main.sync.hcl is this file then, and says
# what happens to what kmsync wrote there.

kms "shop" {
  project = "shop"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "shop" {
  source {
    environment = "prod"
    secret_path = "/shop"
  }

  destination "bitbucket" {
    repository = "shop"
  }
}

sync "legacy" {
  source {
    environment = "prod"
    secret_path = "/shop"
  }

  destination "bitbucket" {
    repository = "legacy"
  }
}

sync "legacy-production" {
  source {
    environment = "prod"
    secret_path = "/legacy"
  }

  destination "bitbucket" {
    repository             = "legacy"
    deployment_environment = "Production"
  }
}
