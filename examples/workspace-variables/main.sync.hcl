# What every pipeline of the workspace may read, beside what one repository has for
# itself. Think twice: each repository of the workspace sees the first.

kms "shop" {
  project = "shop"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "ci" {
  source {
    environment = "prod"
    secret_path = "/ci"
  }

  destination "bitbucket" {
    scope = "workspace"
  }
}

sync "web" {
  source {
    environment = "prod"
    secret_path = "/web"
  }

  destination "bitbucket" {
    repository = "web"
  }
}
