# After: the syncs of legacy are gone from the file. By itself that deletes nothing: each
# plan names what they left behind, until a removed block decides.
#
#   kmsync plan     shows each variable that would go, and each that stays
#   kmsync apply    does it; more than five of a destination need --max-deletes N
#
# Afterwards the removed blocks have nothing to do, and can go too.

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

# The repository's own variables are deleted.
removed {
  from = sync.legacy
  keep = false
}

# The last deployments go on with what is there: the variables stay, and are nobody's.
removed {
  from = sync.legacy-production
  keep = true
}
