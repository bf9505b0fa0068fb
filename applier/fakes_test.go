package applier_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanzoai/kmsync/planner/ledger"
	"github.com/hanzoai/kmsync/providers"
	"github.com/hanzoai/kmsync/providers/secret"
)

// journal notes calls in the order they were made, whoever makes them.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// all returns the calls whose line begins with one of the prefixes; all calls
// without one.
func (j *journal) all(prefixes ...string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
	for _, line := range j.lines {
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
			found = append(found, line)
		}
	}
	return found
}

// reset forgets what was noted so far.
func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = nil
}

// clock is a time that moves only when a test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fault is what happens to one call of a service.
type fault struct {
	err    error
	effect bool   // the call takes effect although it fails
	during func() // called while the call is in flight, without any lock
}

// service plays the KMS and Bitbucket in memory. It implements the three
// interfaces of providers, and stops like the real clients when ctx has ended.
type service struct {
	*journal
	now    func() time.Time
	mu     sync.Mutex
	folder map[string][]providers.Secret // by "dev:/app"
	live   map[string][]providers.Variable
	// environments by repository, and one UUID per repository.
	environments map[string][]providers.Environment
	repositories map[string]string
	// faults by call; each call takes the first of its list.
	faults map[string][]fault
	sent   []providers.Assignment       // with every write
	doubts map[string][]providers.Doubt // of listings, by place
	// unsecured: Bitbucket answers that the variable is not secured.
	unsecured bool
	// always is called during every write.
	always func(scope providers.Scope, key string)
}

func newService(j *journal, now func() time.Time) *service {
	return &service{
		journal: j, now: now, folder: map[string][]providers.Secret{}, live: map[string][]providers.Variable{},
		environments: map[string][]providers.Environment{}, repositories: map[string]string{}, faults: map[string][]fault{},
	}
}

func place(s providers.Scope) string {
	name := s.Workspace + "/" + s.Repository
	if s.Environment != "" {
		name += " " + s.Environment
	}
	return name
}

// call notes a call and returns the fault that is due for it. A fault's during
// function has run when it returns.
func (s *service) call(ctx context.Context, name string) (fault, error) {
	if ctx.Err() != nil {
		return fault{}, &providers.Error{Op: name, Kind: providers.KindCanceled}
	}
	s.add("%s", name)
	s.mu.Lock()
	var due fault
	if list := s.faults[name]; len(list) > 0 {
		due, s.faults[name] = list[0], list[1:]
	}
	s.mu.Unlock()
	if due.during != nil {
		due.during()
	}
	return due, due.err
}

// List implements providers.Source.
func (s *service) List(ctx context.Context, folder providers.Folder) (out providers.SourceListing, err error) {
	out.ReadAt = s.now()
	if _, err := s.call(ctx, "list "+folder.String()); err != nil {
		return providers.SourceListing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Secrets = slices.Clone(s.folder[folder.String()])
	return out, nil
}

// ListTree implements providers.Source.
func (s *service) ListTree(ctx context.Context, folder providers.Folder) (out providers.TreeListing, err error) {
	list, err := s.List(ctx, folder)
	out.Snapshot = list.Snapshot
	out.Folders = []providers.FolderSecrets{{Folder: folder, Secrets: list.Secrets}}
	return out, err
}

// Folders implements providers.Source.
func (s *service) Folders(_ context.Context, folder providers.Folder) ([]providers.Folder, error) {
	return []providers.Folder{folder}, nil
}

// Imports implements providers.Source.
func (s *service) Imports(context.Context, providers.Folder) ([]providers.Folder, error) {
	return nil, nil
}

// Prove implements providers.Source.
func (s *service) Prove(ctx context.Context, folder providers.Folder) error {
	_, err := s.call(ctx, "prove "+folder.String())
	return err
}

// Has implements providers.Source.
func (s *service) Has(ctx context.Context, folder providers.Folder, name string) (bool, error) {
	if _, err := s.call(ctx, "has "+folder.String()+" "+name); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.folder[folder.String()], func(known providers.Secret) bool { return known.Name == name }), nil
}

// Variables implements providers.Reader.
func (s *service) Variables(ctx context.Context, scope providers.Scope) (out providers.VariableListing, err error) {
	out.ReadAt = s.now()
	if _, err := s.call(ctx, "variables "+place(scope)); err != nil {
		return providers.VariableListing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Variables, out.Doubts = slices.Clone(s.live[place(scope)]), s.doubts[place(scope)]
	slices.SortFunc(out.Variables, func(a, b providers.Variable) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// Environments implements providers.Reader.
func (s *service) Environments(ctx context.Context, workspace, repository string) ([]providers.Environment, error) {
	if _, err := s.call(ctx, "environments "+workspace+"/"+repository); err != nil {
		return nil, err
	}
	return s.environments[workspace+"/"+repository], nil
}

// Repository implements providers.Reader.
func (s *service) Repository(ctx context.Context, workspace, repository string) (providers.Repository, error) {
	if _, err := s.call(ctx, "repository "+workspace+"/"+repository); err != nil {
		return providers.Repository{}, err
	}
	return providers.Repository{UUID: s.repositories[workspace+"/"+repository]}, nil
}

// Workspace implements providers.Reader.
func (s *service) Workspace(ctx context.Context, workspace string) (providers.Workspace, error) {
	if _, err := s.call(ctx, "workspace "+workspace); err != nil {
		return providers.Workspace{}, err
	}
	return providers.Workspace{UUID: s.repositories[workspace+"/"]}, nil
}

// Create implements providers.Writer: a key that is there is a conflict.
func (s *service) Create(ctx context.Context, scope providers.Scope, a providers.Assignment) (providers.Variable, error) {
	return s.write(ctx, "create "+place(scope)+" "+a.Key, scope, a, func() (int, error) {
		if slices.ContainsFunc(s.live[place(scope)], func(v providers.Variable) bool { return v.Key == a.Key }) {
			return 0, refusal(409)
		}
		s.live[place(scope)] = append(s.live[place(scope)], providers.Variable{UUID: fmt.Sprintf("{new-%s}", a.Key), Key: a.Key})
		return len(s.live[place(scope)]) - 1, nil
	})
}

// Update implements providers.Writer.
func (s *service) Update(ctx context.Context, scope providers.Scope, uuid string, a providers.Assignment) (providers.Variable, error) {
	return s.write(ctx, "update "+place(scope)+" "+a.Key, scope, a, func() (int, error) {
		i := slices.IndexFunc(s.live[place(scope)], func(v providers.Variable) bool { return v.UUID == uuid })
		if i < 0 {
			return 0, refusal(404)
		}
		return i, nil
	})
}

// Delete implements providers.Writer: what is not there is deleted. The journal names
// the key, or the UUID where no variable has it.
func (s *service) Delete(ctx context.Context, scope providers.Scope, uuid string, notAfter time.Time) error {
	same := func(v providers.Variable) bool { return v.UUID == uuid }
	s.mu.Lock()
	key := uuid
	if i := slices.IndexFunc(s.live[place(scope)], same); i >= 0 {
		key = s.live[place(scope)][i].Key
	}
	s.mu.Unlock()
	due, err := s.call(ctx, "delete "+place(scope)+" "+key)
	if s.always != nil && (err == nil || due.effect) {
		s.always(scope, key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, providers.Assignment{Key: key, NotAfter: notAfter})
	if err == nil || due.effect {
		s.live[place(scope)] = slices.DeleteFunc(s.live[place(scope)], same)
	}
	return err
}

// write carries out a write unless a fault says otherwise. find returns where the
// variable is, with the lock held.
func (s *service) write(ctx context.Context, name string, scope providers.Scope, a providers.Assignment, find func() (int, error)) (providers.Variable, error) {
	due, err := s.call(ctx, name)
	s.mu.Lock()
	s.sent = append(s.sent, a)
	s.mu.Unlock()
	if s.always != nil && (err == nil || due.effect) {
		s.always(scope, a.Key)
	}
	if err != nil && !due.effect {
		return providers.Variable{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := find()
	if refused != nil {
		return providers.Variable{}, refused
	}
	v := &s.live[place(scope)][i]
	v.Key, v.Secured, v.Value = a.Key, a.Secured && !s.unsecured, secret.Value{}
	if !v.Secured {
		v.Value = a.Value
	}
	return *v, err
}

// set puts a variable in the place of the one with its key.
func (s *service) set(where string, v providers.Variable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[where] = slices.DeleteFunc(s.live[where], func(old providers.Variable) bool { return old.Key == v.Key })
	s.live[where] = append(s.live[where], v)
}

// drop removes a variable.
func (s *service) drop(where, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[where] = slices.DeleteFunc(s.live[where], func(old providers.Variable) bool { return old.Key == key })
}

// put makes or changes a secret: its version rises.
func (s *service) put(folder, name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.folder[folder] {
		if found := &s.folder[folder][i]; found.Name == name {
			found.Value, found.Version = secret.New(value), found.Version+1
			return
		}
	}
	s.folder[folder] = append(s.folder[folder], providers.Secret{ID: "id-" + name, Name: name, Version: 1, Value: secret.New(value)})
}

// fail lets the next calls of this name fail, one after the other.
func (s *service) fail(name string, faults ...fault) {
	s.faults[name] = append(s.faults[name], faults...)
}

// refusal is the error of an answer with that status.
func refusal(status int) error {
	kinds := map[int]providers.Kind{
		400: providers.KindInvalid, 401: providers.KindUnauthenticated, 403: providers.KindForbidden, 404: providers.KindNotFound,
		408: providers.KindUnavailable, 409: providers.KindConflict, 429: providers.KindRateLimited, 500: providers.KindUnavailable, 503: providers.KindUnavailable,
	}
	return &providers.Error{Op: "write variable", Kind: kinds[status], Status: status, Sent: true}
}

// noAnswer is the error of a request that may have arrived.
func noAnswer() error {
	return &providers.Error{Op: "write variable", Kind: providers.KindUnavailable, Sent: true}
}

func canceled() error { return &providers.Error{Op: "write variable", Kind: providers.KindCanceled} }

// book is a ledger session that notes what it is told. Like the real one it
// refuses to work with a ctx that has ended.
type book struct {
	*journal
	mu       sync.Mutex
	intents  []ledger.Intent
	outcomes map[string]ledger.Outcome // the last by key
	noted    []ledger.Destination
	consents []ledger.Consent
	// errors of the next calls; the settling error is for one key, or for all if it is "".
	intendErr, settleErr error
	settleKey            string
	// during is called in every Settle.
	during func()
}

// Intend implements ledger.Session.
func (b *book) Intend(ctx context.Context, d ledger.Destination, intents []ledger.Intent) error {
	var keys []string
	for _, i := range intents {
		keys = append(keys, i.Key)
	}
	b.add("intend %s", strings.Join(keys, " "))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := cmp.Or(ctx.Err(), b.intendErr); err != nil {
		return err
	}
	b.intents, b.noted = append(b.intents, intents...), append(b.noted, d)
	return nil
}

// Consent implements ledger.Session.
func (b *book) Consent(ctx context.Context, d ledger.Destination, c ledger.Consent) error {
	b.add("consent of %s", c.By)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := cmp.Or(ctx.Err(), b.intendErr); err != nil {
		return err
	}
	b.consents, b.noted = append(b.consents, c), append(b.noted, d)
	return nil
}

// Settle implements ledger.Session.
func (b *book) Settle(ctx context.Context, d ledger.Destination, outcomes []ledger.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, o := range outcomes {
		b.add("settle %s %s", o.Entry.Key, kindName(o.Kind))
		if b.settleErr != nil && (b.settleKey == "" || b.settleKey == o.Entry.Key) {
			return b.settleErr
		}
		b.outcomes[o.Entry.Key] = o
	}
	if b.during != nil {
		b.during()
	}
	b.noted = append(b.noted, d)
	return nil
}

// Close implements ledger.Session.
func (b *book) Close() error { return errors.New("the applier does not close what it did not open") }

func kindName(k ledger.OutcomeKind) string {
	return map[ledger.OutcomeKind]string{
		ledger.Written: "written", ledger.NotDone: "not done", ledger.Adopted: "adopted", ledger.Forgotten: "forgotten",
		ledger.Released: "released", ledger.Reowned: "reowned",
	}[k]
}

// doubts returns the keys with an intent and no outcome, sorted.
func (b *book) doubts() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []string
	for _, i := range b.intents {
		if _, settled := b.outcomes[i.Key]; !settled {
			keys = append(keys, i.Key)
		}
	}
	slices.Sort(keys)
	return keys
}
