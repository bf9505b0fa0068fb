package observe

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/providers"
)

// Question is something that no list of secrets answers, since servers leave out of
// lists what an identity may not read. It is asked only where a delete depends on it.
type Question struct {
	Kind QuestionKind
	At   graph.SourceRef
	Name string // of the secret, for OfSecret
}

// QuestionKind says what is asked about a folder.
type QuestionKind int

// The kinds of questions.
const (
	OfFolder  QuestionKind = iota // does it exist, and may its secrets be read?
	OfFolders                     // which folders are below it, whether or not they may be read?
	OfImports                     // which folders does it import, whether or not they may be read?
	OfSecret                      // does it hold a secret of that name?
)

// Answer is what the service said, or why it said nothing.
type Answer struct {
	Found   bool              // of OfSecret
	Folders []graph.SourceRef // of OfFolders and OfImports, in order
	Err     error
	At      time.Time // when it was asked
}

// Ask answers questions, each once, and notes the answers in obs.
func (o *Observer) Ask(ctx context.Context, obs *Observation, questions []Question) {
	known := maps.Clone(obs.Answers)
	if known == nil {
		known = map[Question]Answer{}
	}
	maps.Copy(known, o.answers(ctx, questions))
	obs.Answers = known
}

func (o *Observer) answers(ctx context.Context, questions []Question) map[Question]Answer {
	answers := make([]Answer, len(questions))
	var work sync.WaitGroup
	for i, q := range questions {
		work.Go(func() {
			at := o.Now()
			stop := o.Limits.Do(ctx, "", func() { answers[i] = o.ask(ctx, q) })
			if stop != nil {
				answers[i].Err = stopped("ask about folder", q.At.String())
			}
			answers[i].At = at
		})
	}
	work.Wait()
	known := map[Question]Answer{}
	for i, q := range questions {
		known[q] = answers[i]
	}
	return known
}

// Ask answers questions that no answer of at most [MaxAgeOfEvidence] is known to, and
// returns what is known then, answers that took longer than that included.
func (r *Refresher) Ask(ctx context.Context, questions []Question) *Observation {
	r.asking.Lock()
	defer r.asking.Unlock()
	r.mu.Lock()
	known := maps.Clone(r.obs.Answers)
	r.mu.Unlock()
	questions = slices.DeleteFunc(slices.Clone(questions), func(q Question) bool {
		a, asked := known[q]
		return asked && !isOld(a.At, r.observer.Now())
	})
	if known == nil {
		known = map[Question]Answer{}
	}
	maps.Copy(known, r.observer.answers(ctx, questions))
	r.mu.Lock()
	r.obs.Answers = known
	r.mu.Unlock()
	return r.view()
}

// dropAnswers forgets what was answered too long ago to delete by.
func (r *Refresher) dropAnswers(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := map[Question]Answer{}
	for q, a := range r.obs.Answers {
		if !isOld(a.At, now) {
			fresh[q] = a
		}
	}
	r.obs.Answers = fresh
}

func (o *Observer) ask(ctx context.Context, q Question) (a Answer) {
	source, folder := o.Sources[q.At.KMS], folderAt(q.At)
	var folders []providers.Folder
	switch q.Kind {
	case OfFolder:
		a.Err = source.Prove(ctx, folder)
	case OfFolders:
		folders, a.Err = source.Folders(ctx, folder)
	case OfImports:
		folders, a.Err = source.Imports(ctx, folder)
	case OfSecret:
		a.Found, a.Err = source.Has(ctx, folder, q.Name)
	}
	if len(folders) > 0 {
		a.Folders = refsOf(q.At.KMS, folders)
	}
	return a
}

// Answer returns the answer to a question, if it was asked.
func (obs *Observation) Answer(q Question) (Answer, bool) {
	a, asked := obs.Answers[q]
	return a, asked
}

// Seen returns the folders that a source block takes secrets from and that lists showed,
// sorted.
func (obs *Observation) Seen(n *graph.Node, i int) []graph.SourceRef {
	folders, _ := obs.foldersOf(n.Sync.Sources[i], n.Folders[i])
	refs := slices.DeleteFunc(refsOf(n.Folders[i].KMS, folders), func(at graph.SourceRef) bool {
		read := obs.Folders[at]
		return read != nil && read.Err != nil
	})
	slices.SortFunc(refs, graph.CompareSources)
	return refs
}
