package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/language"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// pick returns the label of the kms or connection block that a block uses: the one
// it refers to, or the only one declared. It returns "" when there is none; what
// is wrong has been reported then.
func (b *builder) pick(written *lang.Block, kind string) string {
	if written.Has(kind) {
		if target := written.Target(kind); target != nil {
			return target.Label
		}
		return ""
	}
	var declared []*lang.Block
	for _, block := range b.blocks[kind] {
		if !block.Discarded {
			declared = append(declared, block)
		}
	}
	switch {
	case len(declared) == 1:
		return declared[0].Label
	case len(declared) > 1:
		addresses := make([]string, len(declared))
		for i := range declared {
			addresses[i] = declared[i].Address
		}
		b.report(spec.ErrorAt(written.Header, summaryAmbiguous, fmt.Sprintf("Several %s blocks are declared: %s. Choose one of them, as in: %s = %s", kind, strings.Join(addresses, ", "), kind, addresses[0])))
	case !b.lost[kind]:
		// One mistake, wherever it shows: the other syncs lack the same block.
		b.lost[kind] = true
		b.report(spec.ErrorAt(written.Header, summaryUndeclared, fmt.Sprintf("No %s block is declared. Write one beside the syncs:\n\n%s", kind, language.Top().Inner(kind).Example)))
	}
	return ""
}

// buildDestination resolves what a destination leaves to its repository and its
// connection.
func (b *builder) buildDestination(written *lang.Block) Destination {
	d := Destination{
		Connection: b.pick(written, "connection"), Workspace: textOf(written, "workspace"), Repository: textOf(written, "repository"),
		DeploymentEnvironment: textOf(written, "deployment_environment"), Range: written.Header,
	}
	if scope := textOf(written, "scope"); scope.Value == "workspace" {
		d.WorkspaceScope = Located[bool]{true, scope.Range}
	}
	b.splitRepository(written, &d)
	b.checkScope(written, d)
	connection := b.config.Connections[d.Connection]
	if written.Has("workspace") || d.Workspace.Value != "" || connection == nil {
		return d
	}
	d.Workspace = connection.Workspace
	if !connection.Workspace.IsSet() {
		b.report(spec.ErrorAt(written.Header, summaryNoWorkspace, fmt.Sprintf(
			"Neither this destination nor connection.bitbucket.%s (%s) names a workspace. Write workspace = \"...\" in one of them.",
			connection.Label, spec.Place(connection.Range))))
	}
	return d
}

// splitRepository takes repository = "acme/billing" apart.
func (b *builder) splitRepository(written *lang.Block, d *Destination) {
	workspace, repository, both := strings.Cut(d.Repository.Value, "/")
	if !both {
		return
	}
	d.Repository.Value = repository
	if written.Has("workspace") && d.Workspace.Value != "" && !strings.EqualFold(d.Workspace.Value, workspace) {
		b.report(spec.ErrorAt(d.Repository.Range, summaryTwoWorkspaces, fmt.Sprintf(
			"The repository is in the workspace %q, and workspace = %q is written beside it. Remove one of the two.", workspace, d.Workspace.Value)))
	}
	d.Workspace = Located[string]{workspace, d.Repository.Range}
}

// checkScope reports a repository where there is none, and none where one is
// needed.
func (b *builder) checkScope(written *lang.Block, d Destination) {
	switch {
	case d.WorkspaceScope.Value && written.Has("repository"):
		b.report(spec.ErrorAt(d.Repository.Range, summaryScope, "With scope = \"workspace\" the variables are the workspace's own. Remove repository, or the scope."))
	case d.WorkspaceScope.Value && written.Has("deployment_environment"):
		b.report(spec.ErrorAt(d.DeploymentEnvironment.Range, summaryScope, "With scope = \"workspace\" the variables are the workspace's own. Remove deployment_environment, or the scope."))
	case !d.WorkspaceScope.Value && !written.Has("repository") && !written.Misspelt("repository") && !written.Misspelt("scope"):
		b.report(spec.ErrorAt(written.Header, summaryNoRepository, "A destination needs the argument repository. Write: repository = \"...\", or scope = \"workspace\" for the workspace's own variables."))
	}
}

// checkNames reports names that two syncs share.
func (b *builder) checkNames() {
	first := map[string]*Sync{}
	for _, s := range b.config.Syncs {
		name := s.Name.Value
		if name == "" {
			continue // reported where it is wrong
		}
		if other := first[name]; other != nil {
			b.report(spec.ErrorAt(nameRange(s), summaryNameClash, fmt.Sprintf(
				"%s is named %q, as %s is at %s. Give one of them another name.", s.Address, name, other.Address, spec.Place(nameRange(other)))))
			continue
		}
		first[name] = s
	}
}

// nameRange is where a sync got its name.
func nameRange(s *Sync) hcl.Range {
	if s.Name.IsSet() {
		return s.Name.Range
	}
	return s.Range
}
