package kms

import (
	"slices"
	"sync"

	"github.com/hanzoai/kmsync/providers"
)

// kept is the last answer to one list: the entity tag that stands for it, and the
// serial of the token that it was for. Another login may be another identity, which
// sees other secrets.
type kept struct {
	tag    string
	serial int
	contents
}

// contents is what an answer to a list says.
type contents struct {
	folders []providers.FolderSecrets
	imports []providers.Import
	doubts  []providers.Doubt
	shifted bool
	omits   bool // the server leaves out imports that the identity may not read
}

// clone returns a copy that a caller may change.
func (c contents) clone() contents {
	c.folders, c.imports, c.doubts = slices.Clone(c.folders), slices.Clone(c.imports), slices.Clone(c.doubts)
	for i := range c.folders {
		c.folders[i].Secrets = slices.Clone(c.folders[i].Secrets)
	}
	for i := range c.imports {
		c.imports[i].Names = slices.Clone(c.imports[i].Names)
	}
	return c
}

// cache keeps the last answer to each list of one project, by path and query.
type cache struct {
	mu    sync.Mutex
	lists map[string]*kept
}

func (c *cache) get(key string) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists[key]
}

// put keeps an answer, if it has a tag.
func (c *cache) put(key string, k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.tag == "" {
		delete(c.lists, key)
		return
	}
	if c.lists == nil {
		c.lists = map[string]*kept{}
	}
	c.lists[key] = k
}
