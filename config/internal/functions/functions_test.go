package functions

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func evaluate(t *testing.T, text string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", text, diags)
	}
	return expr.Value(&hcl.EvalContext{Variables: values, Functions: All(fuzzed)})
}

// numberCases, textCases and collectionCases are calls, and the literals that they
// are equal to, as Terraform documents them.
var numberCases = [][]string{
	{`abs(-12.4)`, `12.4`},
	{`ceil(5.1)`, `6`},
	{`ceil(-5.9)`, `-5`},
	{`floor(4.9)`, `4`},
	{`floor(-4.1)`, `-5`},
	{`log(16, 2)`, `4`},
	{`max(12, 54, 3)`, `54`},
	{`max([12, 54, 3]...)`, `54`},
	{`min(12, 54, 3)`, `3`},
	{`parseint("FF", 16)`, `255`},
	{`parseint("-10", 2)`, `-2`},
	{`pow(3, 2)`, `9`},
	{`pow(4, 0)`, `1`},
	{`signum(-13)`, `-1`},
	{`signum(0)`, `0`},
	{`sum([10, 13, 6, 4.5])`, `33.5`},
	{`sum(toset([1, 1, 2]))`, `3`},
	{`sum(["1", 2])`, `3`},
}

var textCases = [][]string{
	{`chomp("hello\r\n")`, `"hello"`},
	{`endswith("hello world", "world")`, `true`},
	{`endswith("hello world", "hello")`, `false`},
	{`format("Hello, %s! %03d %.1f%%", "Ander", 7, 2.25)`, `"Hello, Ander! 007 2.2%"`},
	{`format("%v %#v %q", [1], "a", "b")`, `"[1] \"a\" \"b\""`},
	{`length(format("%999s", "a"))`, `999`},
	{`formatdate("DD MMM YYYY hh:mm", "2018-01-02T23:12:01Z")`, `"02 Jan 2018 23:12"`},
	{`formatlist("Hello, %s!", ["A", "B"])`, `tolist(["Hello, A!", "Hello, B!"])`},
	{`formatlist("%s-%s", "x", ["A", "B"])`, `tolist(["x-A", "x-B"])`},
	{`indent(2, "[\n  a\n]")`, `"[\n    a\n  ]"`},
	{`join("-", ["foo", "bar", "baz"])`, `"foo-bar-baz"`},
	{`join(", ", [])`, `""`},
	{`lower("HELLO")`, `"hello"`},
	{`regex("[a-z]+", "53453453.345345aaabbbccc23454")`, `"aaabbbccc"`},
	{`regex("(\\d\\d\\d\\d)-(\\d\\d)", "2019-02")`, `["2019", "02"]`},
	{`regex("^(?:(?P<scheme>[^:/?#]+):)?", "https://x")`, `{ scheme = "https" }`},
	{`regexall("[a-z]+", "1234abcd5678efgh9")`, `tolist(["abcd", "efgh"])`},
	{`length(regexall("[a-z]+", "123456789"))`, `0`},
	{`replace("1 + 2 + 3", "+", "-")`, `"1 - 2 - 3"`},
	{`replace("hello world", "/w.*d/", "everybody")`, `"hello everybody"`},
	{`replace("hello", "/(h)(e)/", "$2$1")`, `"ehllo"`},
	{`replace("a/b", "/", "-")`, `"a-b"`},
	{`replace("a/b/", "//", "-")`, `"-a-/-b-/-"`},
	{`replace("a.b", ".", "$1")`, `"a$1b"`},
	{`split(",", "foo,bar,baz")`, `tolist(["foo", "bar", "baz"])`},
	{`split(",", "")`, `tolist([""])`},
	{`startswith("hello world", "hello")`, `true`},
	{`startswith("hello", "")`, `true`},
	{`strcontains("hello world", "wor")`, `true`},
	{`strcontains("hello world", "wod")`, `false`},
	{`strrev("héllo")`, `"olléh"`},
	{`substr("hello world", 1, 4)`, `"ello"`},
	{`substr("🤔🤷", 0, 1)`, `"🤔"`},
	{`substr("hello world", -5, -1)`, `"world"`},
	{`title("hello world")`, `"Hello World"`},
	{`trim("?!hello?!", "!?")`, `"hello"`},
	{`trimprefix("helloworld", "hello")`, `"world"`},
	{`trimspace("  hello\n\n")`, `"hello"`},
	{`trimsuffix("helloworld", "world")`, `"hello"`},
	{`upper("hello")`, `"HELLO"`},
}

var collectionCases = [][]string{
	{`alltrue(["true", true])`, `true`},
	{`alltrue([true, false])`, `false`},
	{`alltrue([])`, `true`},
	{`alltrue([true, null])`, `false`},
	{`anytrue(["true", false])`, `true`},
	{`anytrue([])`, `false`},
	{`anytrue([null, true])`, `true`},
	{`chunklist(["a", "b", "c"], 2)`, `tolist([tolist(["a", "b"]), tolist(["c"])])`},
	{`coalesce("a", "b")`, `"a"`},
	{`coalesce("", "b")`, `"b"`},
	{`coalesce(null, 1, 2)`, `1`},
	{`coalesce(["", "b"]...)`, `"b"`},
	{`coalescelist([], ["c", "d"])`, `["c", "d"]`},
	{`compact(["a", "", "b", null, "c"])`, `tolist(["a", "b", "c"])`},
	{`concat(["a", ""], ["b"])`, `["a", "", "b"]`},
	{`contains(["a", "b"], "a")`, `true`},
	{`contains(toset(["a", "b"]), "d")`, `false`},
	{`distinct(["a", "b", "a"])`, `tolist(["a", "b"])`},
	{`element(["a", "b", "c"], 4)`, `"b"`},
	{`element(["a", "b", "c"], -1)`, `"c"`},
	{`flatten([["a", ["b"]], [], ["c"]])`, `["a", "b", "c"]`},
	{`index(["a", "b", "c"], "b")`, `1`},
	{`keys({ c = 2, a = 1 })`, `["a", "c"]`},
	{`length([])`, `0`},
	{`length({ a = "b" })`, `1`},
	{`length("👾🕹️")`, `2`},
	{`length(set)`, `2`},
	{`length(object)`, `3`},
	{`lookup({ a = "ay", b = "bee" }, "a", "what?")`, `"ay"`},
	{`lookup({ a = "ay" }, "c", "what?")`, `"what?"`},
	{`lookup(map, "b")`, `"2"`},
	{`lookup(object, "b")`, `7`},
	{`lookup(map, "z", null)`, `null`},
	{`merge({ a = "b", c = "d" }, { e = "f", c = "z" })`, `{ a = "b", c = "z", e = "f" }`},
	{`merge({ a = "b" }, null)`, `{ a = "b" }`},
	{`merge(map, { a = "9" })`, `{ a = "9", b = "2" }`},
	{`one([])`, `null`},
	{`one(["a"])`, `"a"`},
	{`one(toset(["a"]))`, `"a"`},
	{`range(3)`, `tolist([0, 1, 2])`},
	{`range(4, 1)`, `tolist([4, 3, 2])`},
	{`range(1, 8, 2)`, `tolist([1, 3, 5, 7])`},
	{`reverse([1, 2, 3])`, `[3, 2, 1]`},
	{`setintersection(["a", "b"], ["b", "c"])`, `toset(["b"])`},
	{`setproduct(["dev", "prod"], ["a", "b"])`, `tolist([["dev", "a"], ["dev", "b"], ["prod", "a"], ["prod", "b"]])`},
	{`length(setproduct(["x", "y"], []))`, `0`},
	{`setsubtract(["a", "b", "c"], ["a", "c"])`, `toset(["b"])`},
	{`setunion(["a", "b"], ["b", "c"])`, `toset(["a", "b", "c"])`},
	{`slice(["a", "b", "c", "d"], 1, 3)`, `["b", "c"]`},
	{`sort(["e", "d", "a", "x"])`, `tolist(["a", "d", "e", "x"])`},
	{`values({ a = 3, c = 2 })`, `[3, 2]`},
	{`zipmap(["a", "b"], [1, 2])`, `{ a = 1, b = 2 }`},
}

var otherCases = [][]string{
	{`base64decode("SGVsbG8gV29ybGQ=")`, `"Hello World"`},
	{`base64encode("Hello World")`, `"SGVsbG8gV29ybGQ="`},
	{`csvdecode("a,b\n1,2\n3,4")`, `tolist([{ a = "1", b = "2" }, { a = "3", b = "4" }])`},
	{`jsondecode("{\"hello\": [\"world\", 1, null]}")`, `{ hello = ["world", 1, null] }`},
	{`jsonencode({ hello = "world" })`, `"{\"hello\":\"world\"}"`},
	{`jsonencode(["<", null])`, `"[\"\\u003c\",null]"`},
	{`urlencode("Hello World!")`, `"Hello+World%21"`},
	{`yamldecode("{\"hello\": \"world\"}")`, `{ hello = "world" }`},
	{`yamldecode("a: 1\nb: &x [true]\nc: *x")`, `{ a = 1, b = [true], c = [true] }`},
	{`yamlencode({ a = "b", c = 1 })`, `"\"a\": \"b\"\n\"c\": 1\n"`},
	{`can(object.a)`, `true`},
	{`can(object.missing)`, `false`},
	{`try(object.missing, "fallback")`, `"fallback"`},
	{`try(object.b, "fallback")`, `7`},
	{`tobool("true")`, `true`},
	{`tobool(null)`, `null`},
	{`tonumber("1")`, `1`},
	{`tostring(true)`, `"true"`},
	{`tolist(["a", 3])`, `tolist(["a", "3"])`},
	{`tomap({ a = 1, b = "2" })`, `tomap({ a = "1", b = "2" })`},
	{`toset(["c", "b", "b"])`, `toset(["b", "c"])`},
	{`file("a.txt")`, `"text"`},
	{`file("./sub/../a.txt")`, `"text"`},
	{`fileexists("a.txt")`, `true`},
	{`fileexists("missing.txt")`, `false`},
	{`fileset(".", "*.txt")`, `toset(["a.txt"])`},
	{`jsondecode(file("b.json")).a[0]`, `1`},
	{`yamldecode(file("sub/c.yaml")).a`, `[1, 2]`},
}

func cases() [][]string {
	var all [][]string
	for _, some := range [][][]string{numberCases, textCases, collectionCases, otherCases} {
		all = append(all, some...)
	}
	return all
}

// TestValues: every function gives what Terraform documents.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		got, diags := evaluate(t, c[0])
		if diags.HasErrors() {
			t.Errorf("%s: %s", c[0], diags)
			continue
		}
		want, diags := evaluate(t, c[1])
		if diags.HasErrors() {
			t.Fatalf("%s: %s", c[1], diags)
		}
		if !got.RawEquals(want) && !(got.IsNull() && want.IsNull()) {
			t.Errorf("%s is %#v, want %#v", c[0], got, want)
		}
	}
}

// TestEveryFunctionIsTested holds the tables above against the functions there are.
func TestEveryFunctionIsTested(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, c := range cases() {
		all.WriteString("\n" + c[0])
	}
	for name := range All(fuzzed) {
		if !strings.Contains(all.String(), "\n"+name+"(") {
			t.Errorf("no call of %s is tested", name)
		}
	}
}

// mistakes are calls that fail, and words of what is said about them.
var mistakes = [][]string{
	{`sum([])`, "there is nothing to add"},
	{`sum([1, null])`, "one of the numbers is null"},
	{`sum(["a"])`, "a number is required"},
	{`one(["a", "b"])`, "no list or set of at most one element"},
	{`one(tolist(["a", "b"]))`, "there is more than one element"},
	{`one("a")`, "no list or set of at most one element"},
	{`length(7)`, "neither a collection nor a text"},
	{`length(null)`, "must not be null"},
	{`lookup({}, "a")`, "give lookup a default"},
	{`lookup([], "a")`, "the argument is no map"},
	{`lookup(map, "z")`, "give lookup a default"},
	{`lookup({}, "a", 1, 2)`, "lookup takes"},
	{`coalesce("", null)`, "every argument is null or an empty text"},
	{`base64decode("#")`, "the text is not base64"},
	{`base64decode("/w==")`, "the decoded text is not UTF-8"},
	{`element([], 0)`, "empty list"},
	{`index(["a"], "b")`, "the list does not hold the value"},
	{`index([], "b")`, "the list does not hold the value"},
	{`index({}, "b")`, "the argument is no list"},
	{`regex("[", "a")`, "invalid regexp"},
	{`regex("b", "a")`, "did not match"},
	{`replace("a", "/[/", "b")`, "error parsing regexp"},
	{`jsondecode("{")`, "the text is not JSON"},
	{`yamldecode("a: [")`, "on line 1"},
	{`parseint("zz", 10)`, "cannot parse"},
	{`tonumber("a")`, "number"},
	{`try()`, "at least one argument"},
	{`try(object.x, object.y)`, "no expression succeeded"},
	{`zipmap(["a"], [])`, "number of keys"},
	{`formatdate("YYYY", "yesterday")`, "RFC3339"},
	{`range(1, 2, 0)`, "more than 1024 values"},
	{`slice(["a"], 0, 4)`, "end index"},

	{`range(1025)`, "more than 1024 values"},
	{`format("%1025d", 1)`, "a width in the format is too large"},
	{`format("%.9999f", 1)`, "a width in the format is too large"},
	{`format("%-+ 01000000000s", "a")`, "a width in the format is too large"},
	{`format("%[1]99999d", 1)`, "a width in the format is too large"},
	{`formatlist("%99999s", ["a"])`, "a width in the format is too large"},
	{`indent(1025, "a\nb")`, "the result would be too large"},
	{`setproduct(range(101), range(101))`, "the result would be too large"},
	{`join(format("%999s", ""), [for i in setproduct(range(100), range(100)) : format("%999s", "")])`, "the result would be too large"},
	{`replace(format("%999s%999s%999s%999s%999s", "", "", "", "", ""), " ", format("%999s%999s%999s%999s", "", "", "", ""))`, "the result would be too large"},

	{`file("missing.txt")`, "there is no file missing.txt"},
	{`file("")`, "the path is empty"},
	{`file("/etc/passwd")`, "the path is absolute"},
	{`file("../a.txt")`, "leads out of the directory"},
	{`file("sub/../../a.txt")`, "leads out of the directory"},
	{`file("sub\\c.yaml")`, "a backslash"},
	{`file("sub")`, "sub is not a regular file"},
	{`file(".")`, ". is not a regular file"},
	{`file(".kmsync/state.db")`, "leads into .kmsync"},
	{`file("sub/../.kmsync/state.db")`, "leads into .kmsync"},
	{`file(".KMSync/state.db")`, "leads into .kmsync"},
	{`fileexists(".kmsync/state.db")`, "leads into .kmsync"},
	{`fileexists("../a.txt")`, "leads out of the directory"},
	{`fileexists("sub")`, "sub is not a regular file"},
	{`fileset(".kmsync", "*")`, "leads into .kmsync"},
	{`fileset("..", "*")`, "leads out of the directory"},
	{`fileset(".", "../*")`, "the pattern is not valid, or leads out"},
	{`fileset(".", "/*")`, "the pattern is not valid, or leads out"},
	{`fileset(".", "[")`, "the pattern is not valid, or leads out"},
}

// TestMistakes: what cannot be computed, or would cost too much, is refused in
// words.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range mistakes {
		v, diags := evaluate(t, c[0])
		if !diags.HasErrors() {
			t.Errorf("%s is %#v", c[0], v)
		} else if !strings.Contains(diags.Error(), c[1]) {
			t.Errorf("%s: %s", c[0], diags)
		}
	}
}
