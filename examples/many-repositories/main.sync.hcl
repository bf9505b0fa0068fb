# One sync for each service and environment: what all services share, and what is
# their own. A service more is one line more.

locals {
  services = {
    billing  = {}
    checkout = { repository = "checkout" }
    search   = {}
  }

  environments = {
    staging = "Staging"
    prod    = "Production"
  }

  deployments = {
    for pair in setproduct(keys(local.services), keys(local.environments)) :
    join("-", pair) => {
      repository  = try(local.services[pair[0]].repository, pair[0])
      folder      = "/services/${pair[0]}"
      environment = pair[1]
      deployment  = local.environments[pair[1]]
    }
  }
}

kms "shop" {
  project = "shop"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "service" {
  for_each = local.deployments

  source {
    environment = each.value.environment
    secret_path = "/shared"
  }

  source {
    environment = each.value.environment
    secret_path = each.value.folder
  }

  destination "bitbucket" {
    repository             = each.value.repository
    deployment_environment = each.value.deployment
  }
}
