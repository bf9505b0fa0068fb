package spec

// Kind is what an argument takes.
type Kind int

// The kinds.
const (
	String        Kind = iota
	Bool               // true or false
	Whole              // a whole number
	Strings            // a list or set of strings
	StringMap          // a map of strings
	Any                // any value
	ForEach            // a map, or a set of strings: one block for each element
	KMSRef             // a reference to a kms block
	ConnectionRef      // a reference to a connection block
	Address            // the address of a sync, as moved and removed take it: not a value
	Type               // a type constraint
	Condition          // true or false, about a variable, when that has its value
	Message            // a string, beside a Condition
)

// Words says what a value of a kind is, and how to write one, for who wrote another.
func (k Kind) Words() (what, form string) {
	switch k {
	case Bool, Condition:
		return "a boolean", "true or false, without quotes"
	case Whole:
		return "a whole number", "its digits, without quotes"
	case Strings:
		return "a list of strings", `["..."]`
	case StringMap:
		return "a map of strings", `{ NAME = "..." }`
	}
	return "a string", "the value in quotes"
}

// Form is how a value of an argument is written.
func (a *Argument) Form() string {
	switch a.Kind {
	case Bool, Condition:
		return "true"
	case Whole:
		return "20"
	case Strings:
		return `["..."]`
	case StringMap:
		return `{ NAME = "..." }`
	case KMSRef:
		return "kms.NAME"
	case ConnectionRef:
		return "connection.bitbucket.NAME"
	case Address:
		return "sync.NAME"
	case Type:
		return "string"
	case ForEach:
		return `toset(["..."])`
	}
	return `"..."`
}
