package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/hanzoai/kmsync/config/internal/lang"
	"github.com/hanzoai/kmsync/config/internal/language"
	"github.com/hanzoai/kmsync/config/internal/rules"
	"github.com/hanzoai/kmsync/config/internal/spec"
)

// build turns evaluated blocks into the typed configuration.
func (b *builder) build() {
	c := b.config
	b.buildSettings()
	for _, k := range b.blocks["kms"] {
		if k.Discarded {
			continue
		}
		c.KMS[k.Label] = &KMS{
			Label: k.Label, Address: textOf(k, "address"), Project: textOf(k, "project"),
			CredentialsPrefix: textOf(k, "credentials_prefix"), Range: k.Header,
		}
	}
	for _, n := range b.blocks["connection"] {
		if n.Discarded {
			continue
		}
		c.Connections[n.Label] = &Connection{
			Label: n.Label, Address: textOf(n, "address"), Workspace: textOf(n, "workspace"),
			CredentialsPrefix: textOf(n, "credentials_prefix"), Range: n.Header,
		}
	}
	for _, written := range b.blocks["sync"] {
		if written.Key != nil {
			b.within = written.Address
		}
		s := b.buildSync(written)
		b.within = ""
		if !written.Discarded {
			c.Syncs = append(c.Syncs, s)
		}
	}
	slices.SortFunc(c.Syncs, func(a, b *Sync) int { return strings.Compare(a.Address, b.Address) })
	b.checkNames()
	b.checkOverlaps()
	b.buildMoves()
}

// buildSettings takes the kmsync blocks, of which there may be one.
func (b *builder) buildSettings() {
	c := b.config
	c.LedgerPath.Value = defaultLedgerPath
	c.Deletes.MaxCount.Value, c.Deletes.MaxPercent.Value = language.DefaultMaxCount, language.DefaultMaxPercent
	for i, k := range b.blocks["kmsync"] {
		if i > 0 {
			b.report(spec.ErrorAt(k.Header, summaryTwice, fmt.Sprintf(
				"There may be one kmsync block, and the first is at %s. Remove one of them.", spec.Place(b.blocks["kmsync"][0].Header))))
			continue
		}
		c.Name, c.RequiredVersion = textOf(k, "name"), textOf(k, "required_version")
		if diag := checkVersion(c.RequiredVersion, b.opt.Version); diag != nil {
			b.report(diag)
		}
		for _, ledger := range k.Inner("ledger") {
			if !ledger.Discarded {
				c.LedgerPath = textOf(ledger, "path")
			}
		}
		for _, deletes := range k.Inner("deletes") {
			c.Deletes = Deletes{MaxCount: wholeOf(deletes, "max_count"), MaxPercent: wholeOf(deletes, "max_percent")}
		}
	}
}

const defaultLedgerPath = ".kmsync"

func (b *builder) buildSync(written *lang.Block) *Sync {
	s := &Sync{
		Address: written.Address, Name: textOf(written, "name"), Description: textOf(written, "description"),
		Enabled: flagOf(written, "enabled"), Range: written.Header,
	}
	if !written.Has("name") && s.Name.Value == "" && !written.Discarded {
		b.report(spec.ErrorAt(written.LabelRange, summaryNoDefaultName, "A name is made of the letters a-z and digits of the label, and this label has none. Write name = \"...\" in the block."))
	}
	if !written.Has("name") && s.Name.Value != "" && rules.Name(s.Name.Value) != nil {
		b.report(spec.ErrorAt(written.LabelRange, summaryNoDefaultName, "The name that is made of the label, and of the key where there is a for_each, is too long. Write name = \"...\" in the block."))
	}
	for _, inner := range written.Inner("source") {
		s.Sources = append(s.Sources, b.buildSource(inner))
	}
	for _, inner := range written.Inner("destination") {
		if !inner.Discarded {
			s.Destination = b.buildDestination(inner)
		}
	}
	s.Options = Options{AutoSync: Located[bool]{Value: true}}
	for _, inner := range written.Inner("options") {
		s.Options = b.buildOptions(inner)
	}
	b.checkRenderedKeys(s)
	return s
}

func (b *builder) buildSource(written *lang.Block) *Source {
	s := &Source{
		KMS:         b.pick(written, "kms"),
		Environment: textOf(written, "environment"), SecretPath: folderPath(textOf(written, "secret_path")),
		Recursive: flagOf(written, "recursive"), IncludeImports: flagOf(written, "include_imports"), ExpandReferences: flagOf(written, "expand_references"),
		Include: itemsOf(written, "include"), Exclude: itemsOf(written, "exclude"), Override: flagOf(written, "override"),
		Range: written.Header,
	}
	for _, pair := range written.Pairs("rename") {
		if s.Rename == nil {
			s.Rename = map[string]Located[string]{}
		}
		s.Rename[pair.Key.Text] = Located[string]{pair.Value.Text, pair.Value.Range}
	}
	b.checkNamed(s)
	return s
}

// checkNamed reports what is said of single secrets and cannot be meant: a name that
// is included and excluded, a rename of one that the source leaves out, and renames
// of two secrets to one name.
func (b *builder) checkNamed(s *Source) {
	for _, glob := range s.Include {
		if by, excluded := matchAny(s.Exclude, glob.Value); excluded && !isWild(glob.Value) {
			b.report(spec.ErrorAt(glob.Range, summaryInclude, fmt.Sprintf("%s is wanted by name here, and %q of exclude (%s) leaves it out. Remove one of the two.", glob.Value, by.Value, spec.Place(by.Range))))
		}
	}
	from := map[string]string{}
	for _, name := range sortedNames(s.Rename) {
		to := s.Rename[name]
		if _, excluded := matchAny(s.Exclude, name); excluded {
			b.report(spec.ErrorAt(to.Range, summaryRename, fmt.Sprintf("exclude leaves %s out, so it cannot be renamed. Remove it from one of the two.", name)))
		} else if !s.Wants(name) {
			b.report(spec.ErrorAt(to.Range, summaryRename, fmt.Sprintf("include does not take %s, so it cannot be renamed. Add it there, or remove it here.", name)))
		}
		if other, twice := from[to.Value]; twice {
			b.report(spec.ErrorAt(to.Range, summaryRename, fmt.Sprintf("Both %s and %s are renamed to %s. Give one of them another name.", other, name, to.Value)))
		}
		from[to.Value] = name
	}
}

func (b *builder) buildOptions(written *lang.Block) Options {
	o := Options{
		AutoSync: flagOf(written, "auto_sync"), DisableSecretDeletion: flagOf(written, "disable_secret_deletion"),
		Unsecured: itemsOf(written, "unsecured"), Encoding: b.buildEncoding(written),
		Protect: itemsOf(written, "protect"), AllowEmpty: flagOf(written, "allow_empty"),
		MaxAge: spanOf(written, "max_age"), Overlap: spanOf(written, "overlap"),
		AllowUnprovenImports: flagOf(written, "allow_unproven_imports"), Range: written.Header,
	}
	if behavior := textOf(written, "initial_sync_behavior"); behavior.Value != "" {
		o.OverwriteDestination = Located[bool]{true, behavior.Range}
	}
	if schema := textOf(written, "key_schema"); schema.Value != "" {
		o.KeySchema = Located[KeySchema]{KeySchema{schema.Value}, schema.Range}
	}
	return o
}

// buildEncoding takes the entries of encoding; what they say was checked, and their
// globs are here.
func (b *builder) buildEncoding(written *lang.Block) []Encoding {
	var entries []Encoding
	for _, pair := range written.Pairs("encoding") {
		if p := rules.Glob(pair.Key.Text); p != nil {
			b.report(spec.ErrorAt(pair.Key.Range, p.Summary, p.Detail))
			continue
		}
		entries = append(entries, Encoding{pair.Key.Text, Located[string]{pair.Value.Text, pair.Value.Range}})
	}
	return entries
}

// textOf returns a string argument; one that is not usable is empty, with its range.
func textOf(b *lang.Block, name string) Located[string] {
	v, rng := b.Value(name)
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return Located[string]{Range: rng}
	}
	return Located[string]{v.AsString(), rng}
}

// flagOf returns a boolean argument; one that is not usable is false, with its range.
func flagOf(b *lang.Block, name string) Located[bool] {
	v, rng := b.Value(name)
	return Located[bool]{v.Type() == cty.Bool && v.IsKnown() && !v.IsNull() && v.True(), rng}
}

// wholeOf returns a whole number; one that is not usable is 0, with its range.
func wholeOf(b *lang.Block, name string) Located[int] {
	v, rng := b.Value(name)
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return Located[int]{Range: rng}
	}
	n, _ := v.AsBigFloat().Int64() // whole and small, by its rule
	return Located[int]{int(n), rng}
}

// spanOf returns a duration; one that was not written is nothing, and one that is not
// usable is 0 with its range.
func spanOf(b *lang.Block, name string) Located[time.Duration] {
	written := textOf(b, name)
	duration, _ := time.ParseDuration(written.Value) // checked by its rule
	return Located[time.Duration]{duration, written.Range}
}

func itemsOf(b *lang.Block, name string) []Located[string] {
	var list []Located[string]
	for _, item := range b.Items(name) {
		list = append(list, Located[string]{item.Text, item.Range})
	}
	return list
}

// folderPath removes the slash at the end, as the KMS does.
func folderPath(p Located[string]) Located[string] {
	if len(p.Value) > 1 {
		p.Value = strings.TrimSuffix(p.Value, "/")
	}
	return p
}
