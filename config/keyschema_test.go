package config

import "testing"

func TestKeySchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, environment, name, want string }{
		{"", "dev", "DB_URL", "DB_URL"},
		{"KMS_{{secretKey}}", "dev", "DB_URL", "KMS_DB_URL"},
		{"{{secretKey}}_{{environment}}", "dev", "DB_URL", "DB_URL_dev"},
		{"{{environment}}_{{secretKey}}_{{environment}}", "qa", "A", "qa_A_qa"},
	} {
		schema := KeySchema{c.template}
		got := schema.Render(c.environment, c.name)
		if got != c.want {
			t.Errorf("%q renders %q, want %q", c.template, got, c.want)
		}
		if !schema.InRange(c.environment, got) {
			t.Errorf("%q does not claim %q, which it made", c.template, got)
		}
		if schema.String() != c.template {
			t.Errorf("%q prints as %q", c.template, schema)
		}
	}
}

func TestKeySchemaRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		template, environment, key string
		want                       bool
	}{
		{"", "dev", "ANY", true},
		{"", "dev", "", false},
		{"KMS_{{secretKey}}", "dev", "KMS_", false},
		{"KMS_{{secretKey}}", "dev", "KMS_A", true},
		{"KMS_{{secretKey}}", "dev", "kms_A", false},
		{"{{environment}}_{{secretKey}}", "dev", "dev_A", true},
		{"{{environment}}_{{secretKey}}", "dev", "prod_A", false},
		{"A_{{secretKey}}_A", "dev", "A_A", false}, // prefix and suffix may not share characters
		{"A_{{secretKey}}_A", "dev", "A__A", false},
		{"A_{{secretKey}}_A", "dev", "A_x_A", true},
	} {
		if got := (KeySchema{c.template}).InRange(c.environment, c.key); got != c.want {
			t.Errorf("%q claims %q: %t, want %t", c.template, c.key, got, c.want)
		}
	}
}
