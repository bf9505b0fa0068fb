package world

// Default returns the world that stands where there is no file: project
// "demo" and repository "acme/web", and the project, folder, workspace and
// repository of the vendor's Bitbucket Sync page. Every identifier is fixed,
// so that output is the same on every machine.
func Default() *World {
	return &World{
		KMS: KMS{
			Identities: []Identity{{
				ClientID:     "5a3d0c52-8a3e-4f0e-9b5c-0d1f6f7a1c01",
				ClientSecret: "sandbox-client-secret-4f1e6b7d2a90c835",
				Token:        "sandbox-kms-token-2c8b51f09d7e4a36",
			}},
			Projects: []Project{demoProject(), pageProject()},
		},
		Bitbucket: Bitbucket{
			Tokens: []Token{
				{AccessToken: "sandbox-bitbucket-token-7d40e9ab13c2f658"},
				{Email: "dev@acme.example", APIToken: "sandbox-api-token-91b7c3d5e20f4a68"},
			},
			Workspaces: []Workspace{acme(), pageWorkspace()},
		},
		Faults: []Fault{},
	}
}

func demoProject() Project {
	return Project{
		ID: "b7f1c0de-1a2b-4c3d-8e4f-5a6b7c8d9e0f", Slug: "demo", Name: "Demo",
		Environments: []Environment{
			{Slug: "dev", Name: "Development", Folders: []Folder{{Path: "/web", Secrets: []Secret{
				{Key: "DATABASE_URL", Value: "postgres://web:dev-only@db.dev.example:5432/web", Version: 1, ID: "6e0c1b52-0001-4a00-8000-000000000001"},
				{Key: "FEATURE_FLAGS", Value: "new-checkout,dark-mode", Version: 1, ID: "6e0c1b52-0001-4a00-8000-000000000002"},
				{Key: "SENTRY_DSN", Value: "https://2f1c9a@sentry.example/42", Version: 1, ID: "6e0c1b52-0001-4a00-8000-000000000003"},
				{Key: "SESSION_KEY", Value: "q7Zt0wB3nLx9VdKe", Version: 1, ID: "6e0c1b52-0001-4a00-8000-000000000004"},
			}}}},
			{Slug: "staging", Name: "Staging", Folders: []Folder{}},
			{Slug: "prod", Name: "Production", Folders: []Folder{}},
		},
	}
}

func acme() Workspace {
	return Workspace{
		Slug: "acme", UUID: "{a1e0c2d4-0002-4b00-8000-000000000001}", Variables: []Variable{},
		Repositories: []Repository{{
			Slug: "web", UUID: "{a1e0c2d4-0002-4b00-8000-000000000002}",
			Variables: []Variable{
				{Key: "DEPLOY_REGION", UUID: "{a1e0c2d4-0002-4b00-8000-000000000011}", Value: "eu-central-1"},
				{Key: "NPM_TOKEN", UUID: "{a1e0c2d4-0002-4b00-8000-000000000012}", Value: "npm-made-up-4c1d", Secured: true},
			},
			Environments: stages("a1e0c2d4-0002-4b00-8000-0000000000"),
		}},
	}
}

func pageProject() Project {
	return Project{
		ID: "3c90c3cc-0d44-4b50-8888-8dd25736052a", Slug: "my-project", Name: "My project",
		Environments: []Environment{
			{Slug: "dev", Name: "Development", Folders: []Folder{{Path: "/my-secrets", Secrets: []Secret{
				{Key: "API_KEY", Value: "made-up-api-key-51", Version: 1, ID: "6e0c1b52-0003-4a00-8000-000000000001"},
				{Key: "LOG_LEVEL", Value: "debug", Version: 1, ID: "6e0c1b52-0003-4a00-8000-000000000002"},
			}}}},
			{Slug: "staging", Name: "Staging", Folders: []Folder{}},
			{Slug: "prod", Name: "Production", Folders: []Folder{}},
		},
	}
}

func pageWorkspace() Workspace {
	return Workspace{
		Slug: "my-bitbucket-workspace", UUID: "{a1e0c2d4-0004-4b00-8000-000000000001}", Variables: []Variable{},
		Repositories: []Repository{{
			Slug: "my-bitbucket-repository", UUID: "{a1e0c2d4-0004-4b00-8000-000000000002}",
			Variables:    []Variable{},
			Environments: stages("a1e0c2d4-0004-4b00-8000-0000000000"),
		}},
	}
}

// stages are the three environments that appear when Pipelines is switched on.
func stages(uuidPrefix string) []DeploymentEnvironment {
	return []DeploymentEnvironment{
		{Name: "Test", Slug: "test", UUID: "{" + uuidPrefix + "21}", Type: "Test", Variables: []Variable{}},
		{Name: "Staging", Slug: "staging", UUID: "{" + uuidPrefix + "22}", Type: "Staging", Variables: []Variable{}},
		{Name: "Production", Slug: "production", UUID: "{" + uuidPrefix + "23}", Type: "Production", Variables: []Variable{}},
	}
}
