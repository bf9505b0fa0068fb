# Three folders make the variables of one repository. Of the shared ones two are
# taken, the legacy database is renamed, and the service's own region wins.

kms "shop" {
  project = "shop"
}

sync "web" {
  source {
    environment = "prod"
    secret_path = "/shared"
    include     = ["SENTRY_DSN", "REGION"] # names without wildcard must be there
  }

  source {
    environment = "prod"
    secret_path = "/legacy/db"
    exclude     = ["PG_ADMIN"]
    rename      = { PG_URL = "LEGACY_DATABASE_URL" }
  }

  source {
    environment = "prod"
    secret_path = "/web"
    override    = true
  }

  destination "bitbucket" {
    repository = "acme/web"
  }

  options {
    key_schema = "WEB_{{secretKey}}"
    protect    = ["WEB_MANUAL_*"]
  }
}

connection "bitbucket" "acme" {}
