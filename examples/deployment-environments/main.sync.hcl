# The repository's own variables come from dev; each deployment environment has its
# own, under the same names.

kms "shop" {
  project = "shop"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "web" {
  source {
    environment = "dev"
    secret_path = "/web"
  }

  destination "bitbucket" {
    repository = "web"
  }
}

sync "web-deployments" {
  for_each = {
    staging = "Staging"
    prod    = "Production"
  }

  source {
    environment = each.key
    secret_path = "/web"
  }

  destination "bitbucket" {
    repository             = "web"
    deployment_environment = each.value
  }
}
