package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// build turns evaluated blocks into the typed configuration.
func (l *loader) build() {
	c := l.config
	for _, b := range l.declared["kms"] {
		c.KMS[b.label] = &KMS{
			Label: b.label, Address: b.text("address"), Project: b.text("project"),
			CredentialsPrefix: b.text("credentials_prefix"), Range: b.header,
		}
	}
	for _, b := range l.declared["connection"] {
		c.Connections[b.label] = &Connection{
			Label: b.label, Address: b.text("address"), Workspace: b.text("workspace"),
			CredentialsPrefix: b.text("credentials_prefix"), Range: b.header,
		}
	}
	for _, b := range l.roots {
		if b.spec.name == "sync" {
			s := l.buildSync(b)
			if !b.discarded {
				c.Syncs = append(c.Syncs, s)
			}
		}
	}
	slices.SortFunc(c.Syncs, func(a, b *Sync) int { return strings.Compare(a.Address, b.Address) })
	l.checkNames()
}

func (l *loader) buildSync(b *block) *Sync {
	s := &Sync{
		Address: b.address, Name: b.text("name"), Description: b.text("description"),
		Enabled: b.flag("enabled"), Range: b.header,
	}
	if b.attributes["name"] == nil && s.Name.Value == "" && !b.discarded {
		l.report(errorAt(b.labelRange, summaryNoDefaultName, "A name is made of the letters a-z and digits of the label, and this label has none. Write name = \"...\" in the block."))
	}
	for _, inner := range b.blocks["source"] {
		s.Sources = append(s.Sources, &Source{
			KMS:         l.pick(inner, "kms"),
			Environment: inner.text("environment"), SecretPath: folderPath(inner.text("secret_path")),
			IncludeImports: inner.flag("include_imports"), ExpandReferences: inner.flag("expand_references"),
			Range: inner.header,
		})
	}
	for _, inner := range b.blocks["destination"] {
		if !inner.discarded {
			s.Destination = l.buildDestination(inner)
		}
	}
	options := &block{spec: b.spec.block("options")}
	for _, inner := range b.blocks["options"] {
		options = inner
	}
	s.Options = buildOptions(options)
	l.checkRenderedKeys(s)
	return s
}

func (l *loader) buildDestination(b *block) Destination {
	d := Destination{
		Connection: l.pick(b, "connection"), Workspace: b.text("workspace"), Repository: b.text("repository"),
		DeploymentEnvironment: b.text("deployment_environment"), Range: b.header,
	}
	connection := l.config.Connections[d.Connection]
	if b.attributes["workspace"] != nil || connection == nil {
		return d
	}
	d.Workspace = connection.Workspace
	if declared := l.named["connection."+bitbucketType+"."+connection.Label]; declared.attributes["workspace"] == nil {
		l.report(errorAt(b.header, summaryNoWorkspace, fmt.Sprintf(
			"Neither this destination nor connection.bitbucket.%s (%s) names a workspace. Write workspace = \"...\" in one of them.",
			connection.Label, place(connection.Range))))
	}
	return d
}

func buildOptions(b *block) Options {
	o := Options{
		KeySchema: Located[KeySchema]{}, AutoSync: b.flag("auto_sync"),
		DisableSecretDeletion: b.flag("disable_secret_deletion"), AllowEmpty: b.flag("allow_empty"), Range: b.header,
	}
	if behavior := b.text("initial_sync_behavior"); behavior.Value != "" {
		o.OverwriteDestination = Located[bool]{true, behavior.Range}
	}
	if schema := b.text("key_schema"); schema.Value != "" {
		o.KeySchema = Located[KeySchema]{KeySchema{schema.Value}, schema.Range}
	}
	if protect := b.attributes["protect"]; protect != nil {
		o.Protect = protect.items
	}
	return o
}

// text returns a string argument; one that is not usable is empty, with its range.
func (b *block) text(name string) Located[string] {
	v, rng := b.valueOf(name)
	if !isString(v) {
		return Located[string]{Range: rng}
	}
	return Located[string]{v.AsString(), rng}
}

// flag returns a boolean argument; one that is not usable is false, with its range.
func (b *block) flag(name string) Located[bool] {
	v, rng := b.valueOf(name)
	return Located[bool]{v.Type() == cty.Bool && v.IsKnown() && v.True(), rng}
}

// valueOf returns what was written, with its range, or else the default.
func (b *block) valueOf(name string) (cty.Value, hcl.Range) {
	if attr := b.attributes[name]; attr != nil {
		return attr.value, attr.expr.Range()
	}
	return b.defaultOf(b.spec.attribute(name)), hcl.Range{}
}

// folderPath removes the slash at the end, as the KMS does.
func folderPath(p Located[string]) Located[string] {
	if len(p.Value) > 1 {
		p.Value = strings.TrimSuffix(p.Value, "/")
	}
	return p
}
