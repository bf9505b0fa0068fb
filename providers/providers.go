// Package providers is the contract between kmsync and the services it talks
// to: what a KMS can be asked (the source), what Bitbucket can be asked and told
// (the destination), and how both fail.
//
// The types here are plain data. Reading and writing are separate interfaces, so
// that code which must not write or delete (the planner) cannot.
//
// Start with [Source], [Reader], [Writer] and [Error].
package providers

import (
	"context"
	"time"

	"github.com/hanzoai/kmsync/providers/secret"
)

// Snapshot says when something was read and what the read could not prove.
type Snapshot struct {
	ReadAt time.Time
	Doubts []Doubt
}

// Doubt is something that a read could not prove. A doubt stops every delete of
// a run, and no write.
type Doubt struct {
	Kind DoubtKind
	// Detail says what is not proven and what would settle it, as a full
	// sentence for people. It holds names, never values.
	Detail string
}

// DoubtKind names what a read could not prove.
type DoubtKind string

// The kinds of doubts.
const (
	// DoubtImports: an imported folder may hold more than the answer showed.
	DoubtImports DoubtKind = "imports"
	// DoubtIncomplete: the pages of a listing do not add up.
	DoubtIncomplete DoubtKind = "incomplete_listing"
	// DoubtEmpty: a listing is empty where something was known to be.
	DoubtEmpty DoubtKind = "empty_listing"
)

// Folder is one folder of one environment, in the project a [Source] reads.
type Folder struct {
	Environment string // slug
	Path        string // absolute, "/" or without a slash at the end
}

// String returns the folder as people write it: prod:/services/billing.
func (f Folder) String() string { return f.Environment + ":" + f.Path }

// Secret is one shared secret as it is stored, references not resolved.
type Secret struct {
	ID      string
	Name    string
	Version int // from 1, one more with every change
	Value   secret.Value
	// Hidden: the identity may know of the secret but not read it; Value is a mask.
	Hidden bool
	Lines  Lines
}

// Lines says what servers make of a value of several lines that holds references:
// skipMultilineEncoding of the secret.
type Lines int

// The kinds of Lines.
const (
	LinesUnknown Lines = iota // the answer does not say (lists of 2024)
	LinesKept
	LinesQuoted // in double quotes, with \n for each line feed
)

// Import is one import block of a folder, in the order of the answer: a later
// block beats an earlier one, and the folder's own secrets beat every block.
type Import struct {
	Folder   Folder
	FolderID string
	Names    []string // what the block brings, sorted
}

// SourceListing is everything one folder holds, unexpanded.
type SourceListing struct {
	Snapshot
	Secrets []Secret // own, type "shared", sorted by name
	Imports []Import
	// Shifted: an import of a folder that is gone moved the contents of later blocks
	// to wrong ones (servers of 2024), so what Imports says is not to be believed.
	Shifted bool
	// Omits: the server leaves out imports that the identity may not read, without a word
	// (servers of 2024), so that Imports may lack some.
	Omits bool
}

// TreeListing is what a folder and all folders below it hold of their own,
// unexpanded.
type TreeListing struct {
	Snapshot
	// Folders are those of which the identity sees a secret, sorted by path. Others may
	// be there.
	Folders []FolderSecrets
	// Imports says that some folder of the tree imports another. Which, the answer does
	// not tell.
	Imports bool
	Omits   bool // as in SourceListing
}

// FolderSecrets are the own secrets of one folder, type "shared", sorted by name.
type FolderSecrets struct {
	Folder  Folder
	Secrets []Secret
}

// Source reads a project of a KMS. A folder or environment that is missing, or may
// not be read, is an [*Error] from each method that does not say otherwise, even where
// the server answers with an empty list (GET /api/v4/secrets answers 200 with no rows
// without the right to read).
type Source interface {
	// List returns the folder's own secrets and import blocks.
	List(ctx context.Context, folder Folder) (SourceListing, error)
	// ListTree returns the own secrets of the folder and of those below it, from one
	// recursive list. Folders below that may not be read are left out without a word.
	ListTree(ctx context.Context, folder Folder) (TreeListing, error)
	// Folders returns the folder and all below it, sorted by path, whether or not their
	// secrets may be read. It does not prove that the folder itself exists: the caller has
	// listed it (GET /api/v2/folders answers 200 and nothing where it is missing).
	Folders(ctx context.Context, folder Folder) ([]Folder, error)
	// Imports returns what the folder imports, in order, whether or not it may be read
	// or exists.
	Imports(ctx context.Context, folder Folder) ([]Folder, error)
	// Prove returns nil only if the server itself says that the folder exists and that
	// its secrets may be read.
	Prove(ctx context.Context, folder Folder) error
	// Has asks for one secret of the folder by name, without its imports. It returns
	// false only if the server says that there is none; a right that is missing is an
	// error, since a list hides what the identity may not read.
	Has(ctx context.Context, folder Folder, name string) (bool, error)
}

// Scope is one place where Bitbucket keeps variables: a deployment environment, a
// repository, or a workspace.
type Scope struct {
	Workspace   string // slug
	Repository  string // slug; "" for the workspace's own variables, which every repository sees
	Environment string // UUID of the deployment environment with braces; "" for the repository's own
}

// Variable is one pipeline variable as a listing shows it.
type Variable struct {
	UUID    string // with braces
	Key     string
	Secured bool
	// Value is set only when the variable is not secured: Bitbucket shows a
	// secured value to nobody.
	Value secret.Value
}

// VariableListing is every variable of a scope.
type VariableListing struct {
	Snapshot
	Variables []Variable // sorted by key
}

// Environment is one deployment environment of a repository.
type Environment struct {
	UUID string // with braces
	Name string
	Slug string
}

// Repository identifies a repository whatever its name is.
type Repository struct {
	UUID string // with braces
}

// Workspace identifies a workspace whatever its name is.
type Workspace struct {
	UUID string // with braces
}

// Reader reads variables from Bitbucket. It pages to the end by itself.
type Reader interface {
	Variables(ctx context.Context, scope Scope) (VariableListing, error)
	Environments(ctx context.Context, workspace, repository string) ([]Environment, error)
	Repository(ctx context.Context, workspace, repository string) (Repository, error)
	Workspace(ctx context.Context, workspace string) (Workspace, error)
}

// Assignment is what a write sets: the whole variable, always.
type Assignment struct {
	Key     string
	Value   secret.Value
	Secured bool
	// NotAfter is when the evidence for the write has grown too old: no attempt is
	// begun later, however long the service made it wait. Zero: never.
	NotAfter time.Time
}

// Writer writes variables to Bitbucket and deletes them. Create and Update return the
// variable as the service answered it. After an [*Error] with [Error.InDoubt] the write
// or delete may have taken effect; one of [KindStale] says that its time was over.
type Writer interface {
	// Create is sent once; it is not repeated after a lost answer.
	Create(ctx context.Context, scope Scope, a Assignment) (Variable, error)
	// Update sets the variable with that UUID; it is repeated after a lost answer.
	Update(ctx context.Context, scope Scope, uuid string, a Assignment) (Variable, error)
	// Delete removes the variable with that UUID, whatever its key is by now; it is
	// repeated after a lost answer. That the variable is not there is success; that its
	// repository, environment or workspace is not found is an error, since the variable
	// may be there and hidden. No attempt is begun after notAfter; zero: at any time.
	Delete(ctx context.Context, scope Scope, uuid string, notAfter time.Time) error
}

// Elapsed returns how much time lies between two readings of a clock, by the wall
// clock or by the monotonic one, whichever saw more: the first may be set back, and
// the second stands still while a machine sleeps.
func Elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// Expired reports whether a time is over, by either clock.
func Expired(now, deadline time.Time) bool { return Elapsed(deadline, now) > 0 }
