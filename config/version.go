package config

import (
	"fmt"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/spec"
)

// checkVersion holds the version of this kmsync against the constraint. A build
// whose version is none, as of a checkout, fulfils any.
func checkVersion(required Located[string], have string) *hcl.Diagnostic {
	if required.Value == "" {
		return nil
	}
	constraint, err := version.NewConstraint(required.Value)
	if err != nil {
		return nil // its rule has reported it
	}
	v, err := version.NewVersion(have)
	if err != nil || constraint.Check(v.Core()) {
		return nil
	}
	return spec.ErrorAt(required.Range, summaryVersion, fmt.Sprintf(
		"This is kmsync %s, and the configuration is for %s. Use such a version, or change required_version.", v, required.Value))
}
