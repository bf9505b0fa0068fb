package main

import (
	"slices"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// The representative run of the tests that break it: two syncs, the second one into a
// deployment environment. It creates, updates, adopts, forgets, makes a variable
// readable in two steps, renames two keys (one by case only), and deletes what is gone
// from a source and, with a consent, what overwrite-destination asks for.

const filesBefore = `
kms "demo" {
  project = "demo"
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
    unsecured  = ["KMS_PUBLIC_URL"]
  }
}

sync "deploy" {
  source {
    environment = "prod"
    secret_path = "/deploy"
  }

  destination "bitbucket" {
    repository             = "web"
    deployment_environment = "Staging"
  }

  options {
    key_schema = "APP_{{secretKey}}"
  }
}
`

const filesAfter = `
kms "demo" {
  project = "demo"
}

connection "bitbucket" "acme" {
  workspace = "acme"
}

sync "web" {
  source {
    environment = "dev"
    secret_path = "/web"

    rename = {
      OLD_NAME = "FRESH_NAME"
      casey    = "CASEY"
    }
  }

  destination "bitbucket" {
    repository = "web"
  }

  options {
    key_schema = "KMS_{{secretKey}}"
    unsecured  = ["KMS_PUBLIC_*"]
  }
}

sync "deploy" {
  source {
    environment = "prod"
    secret_path = "/deploy"
  }

  destination "bitbucket" {
    repository             = "web"
    deployment_environment = "Staging"
  }

  options {
    initial_sync_behavior = "overwrite-destination"
    key_schema            = "APP_{{secretKey}}"
  }
}
`

// secretsNamed makes secrets with values that occur nowhere else.
func secretsNamed(place string, names ...string) []world.Secret {
	var list []world.Secret
	for _, name := range names {
		list = append(list, world.Secret{Key: name, Value: "canary-" + place + "-" + name})
	}
	return list
}

// worldBefore is that of the first run.
func worldBefore() *world.World {
	return &world.World{
		KMS: world.KMS{
			Identities: []world.Identity{{ClientID: "5a3d0c52-8a3e-4f0e-9b5c-0d1f6f7a1c01", ClientSecret: "canary-client-secret"}},
			Projects: []world.Project{{ID: "b7f1c0de-1a2b-4c3d-8e4f-5a6b7c8d9e0f", Slug: "demo", Environments: []world.Environment{
				{Slug: "dev", Folders: []world.Folder{
					{Path: "/shared", Secrets: secretsNamed("shared", "REGION", "ZONE")},
					{
						Path: "/web", Imports: []world.Import{{Environment: "dev", Path: "/shared"}},
						Secrets: secretsNamed("web", "CHANGES", "GONE", "GONE_TOO", "MISSING", "OLD_NAME", "OPENED",
							"PUBLIC_FLAG", "PUBLIC_URL", "REPLACED", "STABLE", "casey"),
					},
				}},
				{Slug: "prod", Folders: []world.Folder{{Path: "/deploy", Secrets: secretsNamed("deploy", "GONE", "STABLE", "TOKEN")}}},
			}}},
		},
		Bitbucket: world.Bitbucket{
			Tokens: []world.Token{{AccessToken: "canary-access-token"}},
			Workspaces: []world.Workspace{{Slug: "acme", Repositories: []world.Repository{{
				Slug: "web", Variables: []world.Variable{{Key: "FOREIGN", Value: "canary-foreign", Secured: true}, {Key: "PLAIN", Value: "canary-plain"}},
				Environments: []world.DeploymentEnvironment{{Name: "Staging", Type: "Staging", Variables: []world.Variable{
					{Key: "FOREIGN", Value: "canary-foreign-staging", Secured: true},
				}}},
			}}}},
		},
	}
}

// changeWorld is what people and time did between the first run and the one that is
// broken.
func changeWorld(w *world.World) {
	folder := func(environment, path string) *world.Folder {
		return w.KMS.Project("demo").Environment(environment).Folder(path)
	}
	web, deploy := folder("dev", "/web"), folder("prod", "/deploy")
	set := func(f *world.Folder, name, value string) {
		s := f.Secret(name)
		s.Value = value
		s.Version++
	}
	gone := func(f *world.Folder, names ...string) {
		f.Secrets = slices.DeleteFunc(f.Secrets, func(s world.Secret) bool { return slices.Contains(names, s.Key) })
	}
	set(web, "CHANGES", "canary-web-changed")
	set(deploy, "TOKEN", "canary-deploy-changed")
	gone(web, "GONE", "GONE_TOO")
	gone(deploy, "GONE")
	web.Secrets = append(web.Secrets, secretsNamed("web", "NEW_ONE", "NEW_TWO", "PUBLIC_FOUND")...)
	deploy.Secrets = append(deploy.Secrets, secretsNamed("deploy", "NEW_ONE")...)

	repository := w.Bitbucket.Workspace("acme").Repository("web")
	repository.Variables = slices.DeleteFunc(repository.Variables, func(v world.Variable) bool {
		return v.Key == "KMS_GONE_TOO" || v.Key == "KMS_MISSING"
	})
	for i, v := range repository.Variables {
		switch v.Key {
		case "KMS_OPENED":
			repository.Variables[i].Secured = false
		case "KMS_REPLACED":
			repository.Variables[i].UUID = "{7e57ab1e-0000-4000-8000-000000000001}"
			repository.Variables[i].Value = "canary-by-hand"
		}
	}
	repository.Variables = append(repository.Variables, world.Variable{Key: "KMS_PUBLIC_FOUND", Value: "canary-web-PUBLIC_FOUND"})
	staging := repository.Environment("Staging")
	staging.Variables = append(
		staging.Variables,
		world.Variable{Key: "APP_BY_HAND", Value: "canary-by-hand-one", Secured: true},
		world.Variable{Key: "APP_BY_HAND_TOO", Value: "canary-by-hand-two"},
	)
}
