package config

import (
	"io/fs"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/config/internal/files"
)

// Load reads the *.sync.hcl files of a directory as one configuration. Order and
// names of the files carry no meaning; sub-directories and hidden files are not
// read. A link may not lead out of the directory.
//
// The diagnostics hold every mistake, sorted by file and place; file names in
// them are relative to dir. The Config is never nil and its Files are always
// there for snippets; the rest of it is to be used only without errors.
func Load(dir string) (*Config, hcl.Diagnostics) {
	fsys, done, diag := files.Open(dir)
	if diag != nil {
		return &Config{Files: map[string]*hcl.File{}}, hcl.Diagnostics{diag}
	}
	defer done()
	return load(fsys, dir)
}

// loader is the state of one Load.
type loader struct {
	language *blockSpec
	config   *Config
	diags    hcl.Diagnostics
	roots    []*block            // top-level blocks as they were found
	named    map[string]*block   // the first of each address
	declared map[string][]*block // those by type, sorted by address
	lost     map[string]bool     // types of blocks of which some could not be read
}

func load(fsys fs.FS, dir string) (*Config, hcl.Diagnostics) {
	l := &loader{
		config:   &Config{Files: map[string]*hcl.File{}, KMS: map[string]*KMS{}, Connections: map[string]*Connection{}},
		language: language(),
		named:    map[string]*block{},
		declared: map[string][]*block{},
		lost:     map[string]bool{},
	}
	for _, file := range l.readFiles(fsys, dir) {
		l.addFile(file)
	}
	l.nameBlocks()
	l.evaluate()
	l.build()
	sortDiagnostics(l.diags)
	return l.config, l.diags
}

func (l *loader) report(diags ...*hcl.Diagnostic) { l.diags = append(l.diags, diags...) }

// readFiles parses the files of the directory and returns those without syntax
// errors. What a broken one declares is not known: references to what is not
// declared elsewhere are not called mistakes then.
func (l *loader) readFiles(fsys fs.FS, dir string) []*hcl.File {
	found, diags := files.Read(fsys, dir)
	l.report(diags...)
	var whole []*hcl.File
	for _, file := range found {
		if file.Parsed != nil {
			l.config.Files[file.Name] = file.Parsed
		}
		if !file.Broken {
			whole = append(whole, file.Parsed)
			continue
		}
		for i := range l.language.blocks {
			l.lost[l.language.blocks[i].name] = true
		}
	}
	return whole
}

// sortedNames returns the keys of a map in order.
func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
