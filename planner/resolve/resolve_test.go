package resolve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// project is a KMS project as lists show it, by "env:/path".
type project map[string]*Read

func folder(text string) providers.Folder {
	env, path, _ := strings.Cut(text, ":")
	return providers.Folder{Environment: env, Path: path}
}

// has puts a folder with secrets, "NAME=VALUE" each.
func (p project) has(at string, secrets ...string) project {
	read := &Read{}
	for i, text := range secrets {
		name, value, _ := strings.Cut(text, "=")
		read.Listing.Secrets = append(read.Listing.Secrets, providers.Secret{
			ID: at + "#" + name, Name: name, Version: i + 1, Value: secret.New(value), Lines: providers.LinesKept,
		})
	}
	p[at] = read
	return p
}

// imports lets a folder import others, "env:/path NAME NAME".
func (p project) imports(at string, blocks ...string) project {
	for _, text := range blocks {
		words := strings.Fields(text)
		p[at].Listing.Imports = append(p[at].Listing.Imports, providers.Import{Folder: folder(words[0]), Names: words[1:]})
	}
	return p
}

func (p project) fails(at string, err error) project {
	p[at] = &Read{Err: err}
	return p
}

// omits makes a folder one of a server that leaves out imports, of which these are all.
func (p project) omits(at string, links ...string) project {
	p[at].Listing.Omits, p[at].Linked = true, true
	for _, text := range links {
		p[at].Links = append(p[at].Links, folder(text))
	}
	return p
}

// secretOf returns a secret to change it.
func (p project) secretOf(at, name string) *providers.Secret {
	for i := range p[at].Listing.Secrets {
		if s := &p[at].Listing.Secrets[i]; s.Name == name {
			return s
		}
	}
	panic("no such secret")
}

// resolver knows every folder of the project; one that is not there does not exist.
func (p project) resolver() *Resolver {
	return New(func(f providers.Folder) *Read {
		if read := p[f.String()]; read != nil {
			return read
		}
		return &Read{Err: &providers.Error{Op: "list secrets", Kind: providers.KindNotFound}}
	})
}

// yields returns what a folder comes to: "NAME=VALUE from FOLDER", or "NAME: why not".
func yields(r *Resolver, at string, o Options) []string {
	if o.Takes == nil {
		o.Takes = func(string) bool { return true }
	}
	var lines []string
	for _, item := range r.Yield(folder(at), o) {
		switch {
		case item.Problem != nil && item.Problem.Detail == "":
			lines = append(lines, item.Name+" is hidden")
		case item.Problem != nil:
			lines = append(lines, item.Name+": "+item.Problem.Detail)
		case item.From != folder(at):
			lines = append(lines, item.Name+"="+item.Value.Reveal()+" from "+item.From.String())
		default:
			lines = append(lines, item.Name+"="+item.Value.Reveal())
		}
	}
	return lines
}

var all = Options{Imports: true, Expand: true}

func refusal(kind providers.Kind) error { return &providers.Error{Op: "list secrets", Kind: kind} }

func TestReferences(t *testing.T) {
	t.Parallel()
	const at = "dev:/app"
	for name, test := range map[string]struct {
		p    project
		want []string
	}{
		"none":                 {project{}.has(at, "A=x"), []string{"A=x"}},
		"of the folder":        {project{}.has(at, "A=[${B}]", "B=x"), []string{"A=[x]", "B=x"}},
		"twice":                {project{}.has(at, "A=${B}${B}", "B=x"), []string{"A=xx", "B=x"}},
		"a chain":              {project{}.has(at, "A=${B}1", "B=${C}2", "C=3"), []string{"A=321", "B=32", "C=3"}},
		"the root":             {project{}.has(at, "A=${prod.X}").has("prod:/", "X=p"), []string{"A=p"}},
		"deeper":               {project{}.has(at, "A=${prod.a.b.X}").has("prod:/a/b", "X=p"), []string{"A=p"}},
		"where it lives":       {project{}.has(at, "A=${dev.shared.X}", "Y=mine").has("dev:/shared", "X=${Y}", "Y=theirs"), []string{"A=theirs", "Y=mine"}},
		"no reference":         {project{}.has(at, "A=$B ${} ${a b} ${B", "B=x"), []string{"A=$B ${} ${a b} ${B", "B=x"}},
		"itself by its place":  {project{}.has(at, "A=${dev.app.B}", "B=x"), []string{"A=x", "B=x"}},
		"two ways to one":      {project{}.has(at, "A=${B}${C}", "B=${D}", "C=${D}", "D=x"), []string{"A=xx", "B=x", "C=x", "D=x"}},
		"nowhere":              {project{}.has(at, "A=x${NOPE}y"), []string{"A: the reference ${NOPE} leads nowhere: dev:/app has no such secret that this identity can see"}},
		"a folder that is not": {project{}.has(at, "A=${dev.no.K}"), []string{"A: the reference ${dev.no.K} leads to dev:/no, which does not exist"}},
		"may not be read": {
			project{}.has(at, "A=${dev.no.K}").fails("dev:/no", refusal(providers.KindForbidden)),
			[]string{"A: the reference ${dev.no.K} leads to dev:/no, which this identity may not read"},
		},
		"cannot be read": {
			project{}.has(at, "A=${dev.no.K}").fails("dev:/no", errors.New("no route to host")),
			[]string{"A: the reference ${dev.no.K} leads to dev:/no, which could not be read: no route to host"},
		},
		"another project": {project{}.has(at, "A=${@shop.dev.K}"), []string{"A: the reference ${@shop.dev.K} leads to another project"}},
		"no place": {project{}.has(at, "A=${dev..K}", "B=${.K}", "C=${dev.a@b.K}"), []string{
			"A: the reference ${dev..K} leads nowhere: no folder has such a name", "B: the reference ${.K} leads nowhere: no folder has such a name",
			"C: the reference ${dev.a@b.K} leads nowhere: no folder has such a name",
		}},
		"an empty value":  {project{}.has(at, "A=${B}", "B="), []string{"A: the reference ${B} leads to B of dev:/app, which is empty; servers do not agree what that means", "B="}},
		"to itself":       {project{}.has(at, "A=${A}"), []string{"A: the reference ${A} leads to A of dev:/app, which cannot be used: the references of A of dev:/app lead in a circle"}},
		"made by joining": {project{}.has(at, "A=${B}{C}", "B=$", "C=x"), []string{"A: what its references lead to makes another reference, which servers do not all follow", "B=$", "C=x"}},
		"only an import has it": {
			project{}.has(at, "A=${K}").imports(at, "dev:/shared K").has("dev:/shared", "K=x"),
			[]string{"A: the reference ${K} leads to K of dev:/app, which only an import has; servers do not agree what that means", "K=x from dev:/shared"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := test.p.resolver()
			if diff := cmp.Diff(test.want, yields(r, at, all)); diff != "" {
				t.Error(diff)
			}
			if len(r.Needs) > 0 {
				t.Errorf("needs %v", r.Needs)
			}
		})
	}
}

// A circle stops each of its members and whatever leads into it, and nothing else.
func TestACircle(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/", "A=${B}", "B=${C}", "C=${A}", "D=${A}", "E=${F}", "F=x")
	for _, line := range yields(p.resolver(), "dev:/", all) {
		if stopped := strings.Contains(line, "lead in a circle"); stopped != strings.Contains("ABCD", line[:1]) {
			t.Error(line)
		}
	}
}

// References are followed ten deep, as servers do, and no deeper; what is refused
// says so in a few words however long the chain is.
func TestDepth(t *testing.T) {
	t.Parallel()
	var secrets []string
	for i := range 300 {
		secrets = append(secrets, fmt.Sprintf("S%03d=${S%03d}", i, i+1))
	}
	p := project{}.has("dev:/", append(secrets, "S300=end")...)
	for i, line := range yields(p.resolver(), "dev:/", all) {
		if got := strings.HasSuffix(line, "=end"); got != (i >= 290) || len(line) > 250 {
			t.Errorf("%d bytes: %s", len(line), line)
		}
	}
}

// Values that double at each step, and that hold very many references, are refused
// before they are made.
func TestBounds(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", maxSize/4)
	var many strings.Builder
	for i := range maxReferences + 1 {
		fmt.Fprintf(&many, "${dev.f%d.K}", i)
	}
	p := project{}.has("dev:/", "A=${B}${B}${B}${B}${B}", "B="+big, "C=${B}${B}", "D="+many.String())
	r := p.resolver()
	var refused []string
	for _, item := range r.Yield(folder("dev:/"), Options{Expand: true, Takes: func(string) bool { return true }}) {
		if item.Problem != nil {
			refused = append(refused, item.Name+": "+item.Problem.Detail)
		}
	}
	want := []string{"A: with its references it is larger than any variable can be", "D: it holds more than 100 references"}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Error(diff)
	}
}

// Several lines: as the secret that holds the reference says. One without
// references is not touched.
func TestLines(t *testing.T) {
	t.Parallel()
	for lines, want := range map[providers.Lines]string{
		providers.LinesKept: "A=<a\nb>", providers.LinesQuoted: `A="<a\nb>"`,
		providers.LinesUnknown: "A: with its references it has several lines, and this server does not say whether they are to be quoted (skipMultilineEncoding)",
	} {
		p := project{}.has("dev:/", "A=<${B}>", "B=a\nb")
		p.secretOf("dev:/", "A").Lines, p.secretOf("dev:/", "B").Lines = lines, lines
		if diff := cmp.Diff([]string{want, "B=a\nb"}, yields(p.resolver(), "dev:/", all)); diff != "" {
			t.Error(diff)
		}
	}
	p := project{}.has("dev:/", "A=<${B}>", "B=a")
	p.secretOf("dev:/", "A").Lines = providers.LinesUnknown
	if diff := cmp.Diff([]string{"A=<a>", "B=a"}, yields(p.resolver(), "dev:/", all)); diff != "" {
		t.Error(diff)
	}
}

// A hidden value is refused, and so is whatever refers to it.
func TestHidden(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/", "A=${B}", "B=x", "C=${A}")
	p.secretOf("dev:/", "B").Hidden = true
	for _, o := range []Options{all, {}} {
		items := p.resolver().Yield(folder("dev:/"), Options{Expand: o.Expand, Takes: func(string) bool { return true }})
		if b := items[1]; b.Problem == nil || !b.Problem.Hidden || b.Problem.Detail != "" {
			t.Errorf("B: %+v", b.Problem)
		}
		if a := items[0]; o.Expand && (a.Problem == nil || !a.Problem.Hidden || !strings.Contains(a.Problem.Detail, "leads to B of dev:/, whose value is hidden")) {
			t.Errorf("A: %+v", a.Problem)
		}
		if c := items[2]; o.Expand && (c.Problem == nil || !c.Problem.Hidden) {
			t.Errorf("C: %+v", c.Problem)
		}
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	const at = "dev:/app"
	for name, test := range map[string]struct {
		p    project
		want []string
	}{
		"one":                 {project{}.has(at, "A=1").imports(at, "dev:/s B").has("dev:/s", "B=2"), []string{"A=1", "B=2 from dev:/s"}},
		"the later":           {project{}.has(at).imports(at, "dev:/s K", "dev:/t K").has("dev:/s", "K=s").has("dev:/t", "K=t"), []string{"K=t from dev:/t"}},
		"one of them twice":   {project{}.has(at).imports(at, "dev:/s K", "dev:/t K", "dev:/s K").has("dev:/s", "K=s").has("dev:/t", "K=t"), []string{"K=s from dev:/s"}},
		"an own secret":       {project{}.has(at, "K=own").imports(at, "dev:/s K").has("dev:/s", "K=s"), []string{"K=own"}},
		"another environment": {project{}.has(at).imports(at, "prod:/s K").has("prod:/s", "K=s"), []string{"K=s from prod:/s"}},
		"only what it shows":  {project{}.has(at).imports(at, "dev:/s K").has("dev:/s", "K=s", "L=l"), []string{"K=s from dev:/s"}},
		"nested":              {project{}.has(at).imports(at, "dev:/s K L").has("dev:/s", "L=l").imports("dev:/s", "dev:/n K").has("dev:/n", "K=n"), []string{"K=n from dev:/n", "L=l from dev:/s"}},
		"its own over nested": {project{}.has(at).imports(at, "dev:/s K").has("dev:/s", "K=s").imports("dev:/s", "dev:/n K").has("dev:/n", "K=n"), []string{"K=s from dev:/s"}},
		"references where it lives": {
			project{}.has(at, "X=mine").imports(at, "dev:/s K").has("dev:/s", "K=${X}", "X=theirs"), []string{"K=theirs from dev:/s", "X=mine"},
		},
		"two nested": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/n K", "dev:/m K").has("dev:/n", "K=n").has("dev:/m", "K=m"),
			[]string{"K: dev:/s has it from dev:/n and from dev:/m, and servers do not agree which of them counts through another import; import the one that is meant"},
		},
		"two nested of which one has it itself": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/n K", "dev:/m K").has("dev:/n").has("dev:/m", "K=m"),
			[]string{"K=m from dev:/m"},
		},
		"nested below a shifted one": {
			func() project {
				p := project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/gone K", "dev:/m").has("dev:/m", "K=m")
				p["dev:/s"].Listing.Shifted = true
				return p
			}(), []string{"K=m from dev:/m"},
		},
		"two nested of which one may not be read": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/n K", "dev:/m K").has("dev:/n", "K=n").fails("dev:/m", refusal(providers.KindForbidden)),
			[]string{"K: dev:/s imports dev:/m, which this identity may not read, and may have it from there"},
		},
		"nested before one that may not be read": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/n K", "dev:/m").has("dev:/n", "K=n").fails("dev:/m", refusal(providers.KindForbidden)),
			[]string{"K: dev:/s also imports dev:/m, which this identity may not read, and what that holds would count before it"},
		},
		"gone since": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s"),
			[]string{"K: an import of dev:/app shows it, and neither dev:/s nor a folder that this imports has it for this identity"},
		},
		"not there": {project{}.has(at).imports(at, "dev:/s K"), []string{"K: it is imported from dev:/s, which does not exist"}},
		"a later one that may not be read": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").fails("dev:/t", refusal(providers.KindForbidden)),
			[]string{"K: dev:/app also imports dev:/t, which this identity may not read, and what that holds would count before it"},
		},
		"an earlier one that may not be read": {
			project{}.has(at).imports(at, "dev:/t", "dev:/s K").has("dev:/s", "K=s").fails("dev:/t", refusal(providers.KindForbidden)),
			[]string{"K=s from dev:/s"},
		},
		"an earlier one without block": {
			project{}.has(at).imports(at, "dev:/s K").has("dev:/s", "K=s").omits(at, "dev:/t", "dev:/s"), []string{"K=s from dev:/s"},
		},
		"a later one all of whose imports have no block": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t").omits(at, "dev:/s", "dev:/t").omits("dev:/t", "dev:/far"),
			[]string{"K: dev:/t also imports dev:/far, which this identity may not read, and what that holds would count before it"},
		},
		"imports that are not known": {
			func() project {
				p := project{}.has(at, "A=1").imports(at, "dev:/s K").has("dev:/s", "K=s").omits(at)
				p[at].LinksErr = refusal(providers.KindForbidden)
				return p
			}(), []string{"A=1", "K: what dev:/app imports is not known: list secrets: no permission"},
		},
		"a block that no import accounts for": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t").omits(at, "dev:/s"),
			[]string{"K: dev:/app shows an import of dev:/t that it is not said to have"},
		},
		"a later one that is seen in part": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t L").has("dev:/s", "K=s").fails("dev:/t", refusal(providers.KindForbidden)),
			[]string{
				"K: dev:/app also imports dev:/t, which this identity may not read, and what that holds would count before it",
				"L: it is imported from dev:/t, which this identity may not read",
			},
		},
		"a later one whose import may not be read": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t").imports("dev:/t", "dev:/u").fails("dev:/u", refusal(providers.KindForbidden)),
			[]string{"K: dev:/t also imports dev:/u, which this identity may not read, and what that holds would count before it"},
		},
		"a later one that has it and does not show it": {
			project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t", "K=t"),
			[]string{"K: dev:/app also imports dev:/t, which has it and is not shown to bring it"},
		},
		"a later one that is empty": {project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t"), []string{"K=s from dev:/s"}},
		"a later one that is gone":  {project{}.has(at).imports(at, "dev:/s K", "dev:/t").has("dev:/s", "K=s"), []string{"K=s from dev:/s"}},
		"a later one without block": {
			func() project {
				p := project{}.has(at, "A=1").imports(at, "dev:/s K").has("dev:/s", "K=s")
				return p.omits(at, "dev:/s", "dev:/t")
			}(), []string{"A=1", "K: dev:/app also imports dev:/t, which this identity may not read, and what that holds would count before it"},
		},
		"in a circle": {project{}.has(at).imports(at, "dev:/s K").has("dev:/s").imports("dev:/s", "dev:/app K"), []string{"K: an import of dev:/app shows it, and neither dev:/s nor a folder that this imports has it for this identity"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, yields(test.p.resolver(), at, all)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Blocks of which one has lost its folder say nothing about where a secret is from.
func TestShiftedImports(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/app", "A=1").imports("dev:/app", "dev:/gone K", "dev:/s").has("dev:/s", "K=s")
	p["dev:/app"].Listing.Shifted = true
	want := []string{"A=1", "K: dev:/app imports a folder that no longer exists, and this server then shows secrets under the wrong import; remove that import"}
	if diff := cmp.Diff(want, yields(p.resolver(), "dev:/app", all)); diff != "" {
		t.Error(diff)
	}
}

// What is not asked for is not looked at, and without the options nothing is
// imported or expanded.
func TestOptions(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/app", "A=${B}", "B=x").imports("dev:/app", "dev:/s K").has("dev:/s", "K=${dev.far.L}").has("dev:/far", "L=l")
	for _, test := range []struct {
		o    Options
		want []string
	}{
		{Options{}, []string{"A=${B}", "B=x"}},
		{Options{Imports: true}, []string{"A=${B}", "B=x", "K=${dev.far.L} from dev:/s"}},
		{Options{Expand: true}, []string{"A=x", "B=x"}},
		{all, []string{"A=x", "B=x", "K=l from dev:/s"}},
		{Options{Imports: true, Expand: true, Takes: func(name string) bool { return name == "A" }}, []string{"A=x"}},
	} {
		if diff := cmp.Diff(test.want, yields(p.resolver(), "dev:/app", test.o)); diff != "" {
			t.Errorf("%+v: %s", test.o, diff)
		}
	}
}

// Folders are asked for as they turn out to be needed, and no others; an answer is
// given once all it depends on was read.
func TestNeeds(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/app", "A=${dev.a.X}", "B=plain", "SKIPPED=${dev.no.X}").imports("dev:/app", "dev:/s K", "dev:/unused U").
		has("dev:/a", "X=${prod.b.Y}").has("prod:/b", "Y=y").has("dev:/s", "K=${L}", "L=l").has("dev:/unused", "U=u")
	known := map[string]bool{"dev:/app": true}
	var rounds []string
	o := Options{Imports: true, Expand: true, Takes: func(name string) bool { return name != "SKIPPED" && name != "U" }}
	for {
		r := New(func(f providers.Folder) *Read {
			if known[f.String()] {
				return p[f.String()]
			}
			return nil
		})
		lines := yields(r, "dev:/app", o)
		var needs []string
		for f := range r.Needs {
			needs = append(needs, f.String())
			known[f.String()] = true
		}
		slices.Sort(needs)
		rounds = append(rounds, strings.ReplaceAll(strings.Join(lines, " "), unread.Detail, "UNREAD")+" | "+strings.Join(needs, " "))
		if len(needs) == 0 {
			break
		}
	}
	want := []string{
		"A: UNREAD B=plain K: UNREAD | dev:/a dev:/unused", "A: UNREAD B=plain K: UNREAD | dev:/s prod:/b", "A=y B=plain K=l from dev:/s | ",
	}
	if diff := cmp.Diff(want, rounds); diff != "" {
		t.Error(diff)
	}
}

// What a value was made of is told, each secret once.
func TestUses(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/", "A=${B}${C}", "B=${dev.x.D}", "C=${dev.x.D}").has("dev:/x", "D=d")
	r := p.resolver()
	items := r.Yield(folder("dev:/"), Options{Expand: true, Takes: func(name string) bool { return name == "A" }})
	var uses []string
	for _, u := range items[0].Uses {
		uses = append(uses, fmt.Sprintf("%s@%d", u.ID, u.Version))
	}
	if diff := cmp.Diff([]string{"dev:/#B@2", "dev:/#C@3", "dev:/x#D@1"}, uses); diff != "" {
		t.Error(diff)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/app", "A=1").imports("dev:/app", "dev:/s B A")
	r := p.resolver()
	if got := slices.Sorted(maps.Keys(r.Names(folder("dev:/app"), true))); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("with imports: %v", got)
	}
	if got := slices.Sorted(maps.Keys(r.Names(folder("dev:/app"), false))); !slices.Equal(got, []string{"A"}) {
		t.Errorf("without: %v", got)
	}
}

// Lines are quoted in the secret that is delivered, never in one that it refers to.
func TestLinesOfAPart(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/", "A=<${B}>", "B=x\n${C}", "C=c")
	p.secretOf("dev:/", "B").Lines = providers.LinesQuoted
	want := []string{"A=<x\nc>", `B="x\nc"`, "C=c"}
	if diff := cmp.Diff(want, yields(p.resolver(), "dev:/", all)); diff != "" {
		t.Error(diff)
	}
	p.secretOf("dev:/", "A").Lines, p.secretOf("dev:/", "B").Lines = providers.LinesQuoted, providers.LinesUnknown
	if got := yields(p.resolver(), "dev:/", all)[0]; got != `A="<x\nc>"` {
		t.Error(got)
	}
}

// References that double at each step are no work, also while a list is missing, and
// what lies deeper than servers follow is not asked for.
func TestBombs(t *testing.T) {
	t.Parallel()
	var secrets []string
	for i := range 60 {
		for _, name := range []string{"A", "B"} {
			secrets = append(secrets, fmt.Sprintf("%s%02d=${A%02d}${B%02d}", name, i, i+1, i+1))
		}
	}
	p := project{}.has("dev:/", append(secrets, "A60=${dev.far.X}", "B60=${dev.far.X}")...)
	r := New(func(f providers.Folder) *Read { return p[f.String()] })
	if lines := yields(r, "dev:/", all); len(lines) != 122 || len(r.Needs) != 1 {
		t.Errorf("%d lines, needs %v", len(lines), r.Needs)
	}
	rounds, known := 0, map[string]bool{"dev:/f0": true}
	for ; rounds < 100; rounds++ {
		r := New(func(f providers.Folder) *Read { // each folder leads to the next
			if !known[f.String()] {
				return nil
			}
			n := 0
			_, _ = fmt.Sscanf(f.Path, "/f%d", &n)
			return project{}.has(f.String(), fmt.Sprintf("K=${dev.f%d.K}", n+1))[f.String()]
		})
		yields(r, "dev:/f0", all)
		if len(r.Needs) == 0 {
			break
		}
		for f := range r.Needs {
			known[f.String()] = true
		}
	}
	if rounds > maxDepth+1 {
		t.Errorf("%d rounds", rounds)
	}
}

// A message shows no more of a reference than a name can need.
func TestLongReference(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/", "A=${"+strings.Repeat("x", 5000)+"}")
	if line := yields(p.resolver(), "dev:/", all)[0]; len(line) > 400 || !strings.Contains(line, strings.Repeat("x", maxShown)+"…}") {
		t.Errorf("%d bytes", len(line))
	}
}

// On a server that leaves imports out, those of a folder are needed as soon as a name of
// an import is wanted, and those of a later import; not for the folder's own names.
func TestNeedsOfImports(t *testing.T) {
	t.Parallel()
	p := project{}.has("dev:/app", "A=1").imports("dev:/app", "dev:/s K", "dev:/t").has("dev:/s", "K=s").has("dev:/t").
		omits("dev:/app", "dev:/s", "dev:/t").omits("dev:/s").omits("dev:/t")
	needs := func(takes string, linked ...string) string {
		for at := range p {
			p[at].Linked = slices.Contains(linked, at)
		}
		r := p.resolver()
		r.Yield(folder("dev:/app"), Options{Imports: true, Expand: true, Takes: func(name string) bool { return name == takes }})
		var all []string
		for f := range r.Needs {
			all = append(all, f.String())
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	for _, test := range []struct {
		takes  string
		linked []string
		want   string
	}{
		{"A", nil, ""}, {"K", nil, "dev:/app"}, {"K", []string{"dev:/app"}, "dev:/t"}, {"K", []string{"dev:/app", "dev:/t"}, ""},
	} {
		if got := needs(test.takes, test.linked...); got != test.want {
			t.Errorf("%s with %v: needs %q, want %q", test.takes, test.linked, got, test.want)
		}
	}
}
