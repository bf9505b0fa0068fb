# The secrets of one KMS folder become the variables of one repository. Key
# DATABASE_URL is written as KMS_DATABASE_URL; other variables are left alone.

kms "demo" {
  project = "demo" # id or slug of the KMS project
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

  options {
    key_schema = "KMS_{{secretKey}}"
  }
}
