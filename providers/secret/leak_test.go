package secret_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	text "text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/hanzoai/kmsync/providers/secret"
)

// The bytes of every secret of the matrix are printable and the same for all
// three types, so that one search finds each of them in any form.
const canary = "c4nary+/?&<>zZ9!" // 16 bytes

// leaks are the forms in which the canary could show up.
func leaks() map[string]string { return leaksOf([]byte(canary)) }

func leaksOf(raw []byte) map[string]string {
	var decimals, hexes []string
	for _, b := range raw {
		decimals = append(decimals, strconv.Itoa(int(b)))
		hexes = append(hexes, fmt.Sprintf("0x%x", b))
	}
	return map[string]string{
		"text":            string(raw[:6]),
		"hex":             hex.EncodeToString(raw[:6]),
		"spaced decimals": strings.Join(decimals[:4], " "),
		"comma decimals":  strings.Join(decimals[:4], ","),
		"Go syntax":       strings.Join(hexes[:4], ", "),
		"base64":          base64.StdEncoding.EncodeToString(raw[:6]),
	}
}

func search(t *testing.T, what, output string) {
	t.Helper()
	searchFor(t, leaks(), what, output)
}

func searchFor(t *testing.T, leaks map[string]string, what, output string) {
	t.Helper()
	folded := strings.ToLower(output)
	for form, leak := range leaks {
		if strings.Contains(folded, strings.ToLower(leak)) {
			t.Errorf("%s shows the secret as %s: %s", what, form, output)
		}
	}
}

// subjects returns one of each type, made of the canary.
func subjects(t *testing.T) (secret.Value, secret.Key, secret.Fingerprint) {
	t.Helper()
	key, err := secret.NewKey(strings.NewReader(canary + canary))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := secret.ParseFingerprint([]byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(canary), key, fingerprint
}

// shapes are the places a secret can sit in. The unexported fields are the ones
// where fmt does not ask the type's methods.
func shapes[T any](v T) map[string]any {
	type unexported struct{ v T }
	type exported struct{ V T }
	type both struct {
		Name string
		v    *T
		list []T
		m    map[string]T
		any  any
		in   struct{ deep exported }
	}
	var boxed any = v
	deep := both{Name: "n", v: &v, list: []T{v}, m: map[string]T{"k": v}, any: v}
	deep.in.deep = exported{v}
	return map[string]any{
		"alone":               v,
		"pointer":             &v,
		"any":                 boxed,
		"pointer to any":      &boxed,
		"exported field":      exported{v},
		"unexported field":    unexported{v},
		"pointer to struct":   &unexported{v},
		"slice":               []T{v, v},
		"array":               [1]T{v},
		"map value":           map[string]T{"k": v},
		"any in a slice":      []any{v, &v, unexported{v}},
		"any in a map":        map[string]any{"k": unexported{v}},
		"nested":              deep,
		"pointer to nested":   &deep,
		"slice of structs":    []unexported{{v}},
		"map of pointers":     map[int]*unexported{1: {v}},
		"channel and func":    struct{ f func() T }{func() T { return v }},
		"array in unexported": struct{ a [2]T }{[2]T{v, v}},
	}
}

// printers are the ways Go has of turning a value into text. One that fails
// returns its error's text.
func printers() map[string]func(any) string {
	failure := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	all := map[string]func(any) string{
		"fmt.Sprint":   func(v any) string { return fmt.Sprint(v) },
		"fmt.Sprintln": func(v any) string { return fmt.Sprintln(v) },
		"error": func(v any) string {
			return fmt.Errorf("outer: %w", fmt.Errorf("inner %v: %w", v, errors.New("cause"))).Error()
		},
		"joined errors": func(v any) string {
			return fmt.Sprintf("%+v", errors.Join(fmt.Errorf("%v", v), fmt.Errorf("%#v", v)))
		},
		"slog text": func(v any) string { return logged(v, false) },
		"slog JSON": func(v any) string { return logged(v, true) },
		"text/template": func(v any) string {
			var out bytes.Buffer
			err := text.Must(text.New("t").Parse(`{{.}} {{printf "%v %x %q" . . .}} {{html .}} {{js .}} {{urlquery .}}`)).Execute(&out, v)
			return out.String() + failure(err)
		},
		"html/template": func(v any) string {
			var out bytes.Buffer
			err := template.Must(template.New("t").Parse(`<a title="{{.}}" href="/?q={{.}}">{{.}}</a><script>var x = {{.}}</script>`)).Execute(&out, v)
			return out.String() + failure(err)
		},
		"encoding/json": func(v any) string {
			out, err := json.Marshal(v)
			return string(out) + failure(err)
		},
		"encoding/xml": func(v any) string {
			out, err := xml.Marshal(v)
			return string(out) + failure(err)
		},
		"encoding/gob": func(v any) string {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return out.String() + failure(err)
		},
		"panic": func(v any) (out string) {
			defer func() { out = fmt.Sprintf("panic: %v %+v", recover(), v) }()
			panic(v)
		},
		"cmp.Diff": func(v any) string {
			return cmp.Diff(v, nil) + cmp.Diff(nil, []any{v}, cmp.Exporter(func(reflect.Type) bool { return true }))
		},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%U", "%b", "%t", "%T", "%w", "%10.3s", "%-8v", "%!"} {
		all["verb "+verb] = func(v any) string { return fmt.Sprintf(verb, v) }
	}
	return all
}

func logged(v any, asJSON bool) string {
	var out bytes.Buffer
	var handler slog.Handler = slog.NewTextHandler(&out, nil)
	if asJSON {
		handler = slog.NewJSONHandler(&out, nil)
	}
	slog.New(handler).With("with", v).WithGroup("g").Info("message", "key", v, slog.Any("list", []any{v}), slog.Group("group", "in", v))
	return out.String()
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	value, key, fingerprint := subjects(t)
	for kind, shapes := range map[string]map[string]any{
		"Value":       shapes(value),
		"Key":         shapes(key),
		"Fingerprint": shapes(fingerprint),
	} {
		for shape, v := range shapes {
			t.Run(kind+" "+shape, func(t *testing.T) {
				t.Parallel()
				for printer, show := range printers() {
					search(t, printer, show(v))
				}
			})
		}
	}
}

// TestNothingPrintsADerivedKey: what is made from a root key keeps a key of its own,
// and the root key too, behind closures.
func TestNothingPrintsADerivedKey(t *testing.T) {
	t.Parallel()
	_, key, _ := subjects(t)
	for info, shapes := range map[string]map[string]any{
		"kmsync fingerprint v1 d": shapes(key.For("d")),
		"kmsync ledger seal v1":   shapes(key.Sealer()),
	} {
		derived := leaksOf(must(hkdf.Key(sha256.New, []byte(canary+canary), nil, info, sha256.Size)))
		for shape, v := range shapes {
			t.Run(info+" "+shape, func(t *testing.T) {
				t.Parallel()
				for printer, show := range printers() {
					output := show(v)
					search(t, printer, output)
					searchFor(t, derived, printer, output)
				}
			})
		}
	}
	for _, v := range []any{key.For("d"), key.Sealer(), secret.DestinationKey{}, secret.Sealer{}} {
		if got := fmt.Sprintf("%v %+v %#v %s", v, v, v, v); got != "(secret) (secret) (secret) (secret)" {
			t.Errorf("%T is printed as %s", v, got)
		}
	}
}

// TestTheSearchFindsLeaks has what the types would be without their closures.
func TestTheSearchFindsLeaks(t *testing.T) {
	t.Parallel()
	type text struct{ s string }
	type array struct{ b [16]byte }
	for name, output := range map[string]string{
		"text":   fmt.Sprintf("%v", struct{ v text }{text{canary}}),
		"hex":    fmt.Sprintf("%x", array{[16]byte([]byte(canary))}),
		"array":  fmt.Sprintf("%v", array{[16]byte([]byte(canary))}),
		"syntax": fmt.Sprintf("%#v", array{[16]byte([]byte(canary))}),
		"base64": string(must(json.Marshal([]byte(canary)))),
	} {
		found := false
		for _, leak := range leaks() {
			found = found || strings.Contains(strings.ToLower(output), strings.ToLower(leak))
		}
		if !found {
			t.Errorf("%s: nothing found in %s", name, output)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestPrintedWord: where the type is asked, it says the one fixed word.
func TestPrintedWord(t *testing.T) {
	t.Parallel()
	value, key, fingerprint := subjects(t)
	for _, v := range []any{value, key, fingerprint, &value, &key, &fingerprint, secret.Value{}, secret.Key{}, secret.Fingerprint{}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); got != "(secret)" {
				t.Errorf("%T with %s: %q, want (secret)", v, verb, got)
			}
		}
		if got := logged(v, false); !strings.Contains(got, "key=(secret)") {
			t.Errorf("%T logged: %s", v, got)
		}
		if got := logged(v, true); !strings.Contains(got, `"key":"(secret)"`) {
			t.Errorf("%T logged: %s", v, got)
		}
		stringer, ok := v.(interface {
			String() string
			GoString() string
		})
		if !ok || stringer.String() != "(secret)" || stringer.GoString() != "(secret)" {
			t.Errorf("%T has no String and GoString with the fixed word", v)
		}
	}
}

// TestEncodingFails: a mask in a request body would overwrite a secret, so
// encoding is an error and not a mask.
func TestEncodingFails(t *testing.T) {
	t.Parallel()
	value, key, fingerprint := subjects(t)
	for _, v := range []any{
		value, &value,
		[]any{value},
		struct{ V secret.Value }{value},
		secret.Value{},
		map[string]any{"k": value},
		key,
		struct{ K secret.Key }{key},
		fingerprint,
		struct{ F *secret.Fingerprint }{&fingerprint},
	} {
		if out, err := json.Marshal(v); err == nil {
			t.Errorf("%T became JSON: %s", v, out)
		}
		if out, err := xml.Marshal(v); err == nil && len(out) > 0 && strings.Contains(string(out), "(secret)") {
			t.Errorf("%T became XML: %s", v, out)
		}
	}
	for _, v := range []interface{ MarshalText() ([]byte, error) }{value, key, fingerprint} {
		if out, err := v.MarshalText(); err == nil || out != nil {
			t.Errorf("%T became text: %s", v, out)
		}
	}
}

// TestDiffComparesBySecret: cmp uses Equal, and a difference shows no secret.
func TestDiffComparesBySecret(t *testing.T) {
	t.Parallel()
	type all struct {
		V secret.Value
		K secret.Key
		F secret.Fingerprint
	}
	value, key, fingerprint := subjects(t)
	sameValue, sameKey, sameFingerprint := subjects(t)
	if diff := cmp.Diff(all{value, key, fingerprint}, all{sameValue, sameKey, sameFingerprint}); diff != "" {
		t.Errorf("equal secrets differ:\n%s", diff)
	}
	otherKey := must(secret.NewKey(strings.NewReader(strings.Repeat("x", 32))))
	for name, other := range map[string]all{
		"value":       {secret.New("other"), key, fingerprint},
		"key":         {value, otherKey, fingerprint},
		"fingerprint": {value, key, must(secret.ParseFingerprint([]byte("another 16 bytes")))},
	} {
		diff := cmp.Diff(all{value, key, fingerprint}, other)
		if !regexp.MustCompile(`(?m)^\s*-`).MatchString(diff) {
			t.Errorf("%s: no difference reported:\n%s", name, diff)
		}
		search(t, "cmp.Diff of "+name, diff)
	}
}
