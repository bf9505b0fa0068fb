package want

import (
	"testing"

	"github.com/hanzoai/kmsync/config"
	"github.com/hanzoai/kmsync/planner/verdict"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// base64 sends the values of keys that match as base64.
func base64(globs ...string) []config.Encoding {
	var entries []config.Encoding
	for i, glob := range globs {
		entries = append(entries, config.Encoding{Glob: glob, As: on(40+i, "base64")})
	}
	return entries
}

// TestEncoding: with encoding every value that is there is carried, as one line of
// padded base64; without it a value that a variable cannot carry is refused, and named.
func TestEncoding(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value           string
		encoded         string
		blocked, detail string // without encoding
		always          bool   // blocked with it, too
	}{
		"plain":           {value: "v", encoded: "dg=="},
		"line feed":       {value: "a\nb", encoded: "YQpi", blocked: "line_break", detail: "it has line breaks"},
		"carriage return": {value: "a\r", encoded: "YQ0=", blocked: "line_break", detail: "it has line breaks"},
		"NUL":             {value: "a\x00", encoded: "YQA=", blocked: "line_break", detail: "it holds a NUL byte"},
		"not UTF-8":       {value: "\xfb\xff", encoded: "+/8=", blocked: "line_break", detail: "it is not UTF-8 text"},
		"long":            {value: "0123456789012345678901234567890123456789012345678901234567890123456789", encoded: "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ=="},
		"empty":           {value: "", blocked: "empty_value", always: true},
		"mask":            {value: "<hidden-by-infisical>", blocked: "hidden_value", always: true},
		"unresolved":      {value: "${NONE}", blocked: "unresolved_reference", always: true},
	} {
		read := func(entries []config.Encoding) *Want {
			r := newReads("KEY")
			r.first().Secrets[0].Value = secret.New(test.value)
			r.sync.Sources[0].ExpandReferences = on(11, true)
			r.sync.Options.Encoding = entries
			_, all := r.wants()
			return all[0]
		}
		for _, entries := range [][]config.Encoding{nil, base64("OTHER", "K?")} {
			w := read(entries)
			if string(w.Block) != test.blocked || (test.detail != "" && w.Detail != test.detail) {
				t.Errorf("%s: blocked by %q, %q", name, w.Block, w.Detail)
			}
			if !w.Value.Equal(secret.New(test.value)) {
				t.Errorf("%s: sent as something else without encoding", name)
			}
		}
		w := read(base64("K*", "KEY"))
		if test.always != (w.Block != verdict.NotBlocked) || (test.always && string(w.Block) != test.blocked) {
			t.Errorf("%s: with encoding blocked by %q", name, w.Block)
		}
		if !test.always && !w.Value.Equal(secret.New(test.encoded)) {
			t.Errorf("%s: not sent as %s", name, test.encoded)
		}
	}
}

// TestOptionsGoByTheKey: the globs of unsecured and encoding are over variables, not
// over secrets, and each is for itself.
func TestOptionsGoByTheKey(t *testing.T) {
	t.Parallel()
	r := newReads("A B C")
	r.sync.Sources[0].Rename = map[string]config.Located[string]{"A": on(12, "X")}
	r.sync.Options.Unsecured = names(30, "A", "X", "B")
	r.sync.Options.Encoding = base64("A", "B")
	_, all := r.wants()
	got := map[string][2]bool{}
	for _, w := range all {
		got[w.Key] = [2]bool{w.Secured, w.Value.Equal(secret.New("dg=="))}
	}
	for key, want := range map[string][2]bool{"X": {false, false}, "B": {false, true}, "C": {true, false}} {
		if got[key] != want {
			t.Errorf("%s: secured, encoded: %t, want %t", key, got[key], want)
		}
	}
}

// TestSizeOfWhatIsSent: what counts against the limit of a build is the encoded value.
func TestSizeOfWhatIsSent(t *testing.T) {
	t.Parallel()
	size := func(entries []config.Encoding) int {
		r := newReads("KEY")
		r.first().Secrets[0].Value = secret.New("123456")
		r.sync.Options.Encoding = entries
		_, all := r.wants()
		total, _ := Merge(all, nil, nil).RefuseOversize([]providers.Variable{{Key: "KEY"}}, 0)
		return total
	}
	if plain, encoded := size(nil), size(base64("*")); plain != len("KEY")+6 || encoded != len("KEY")+8 {
		t.Errorf("%d as it is, %d encoded", plain, encoded)
	}
}
