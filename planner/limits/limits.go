// Package limits bounds the requests in flight of a run.
package limits

import (
	"context"
	"sync"
)

// PerRepository is how many requests may be in flight to one repository:
// Bitbucket answers bursts of writes to one repository with 429.
const PerRepository = 4

// Limits bounds the requests in flight of a run, all together and per
// repository. Its methods may be called from several goroutines.
type Limits struct {
	all  chan struct{}
	mu   sync.Mutex
	each map[string]chan struct{}
}

// New allows parallelism requests at a time, at least one.
func New(parallelism int) *Limits {
	return &Limits{all: make(chan struct{}, max(1, parallelism)), each: map[string]chan struct{}{}}
}

// Do runs f when both bounds have room. It returns ctx's error, without running
// f, when ctx ends first. An empty repository counts for the run only.
func (l *Limits) Do(ctx context.Context, repository string, f func()) error {
	release, err := l.Acquire(ctx, repository)
	if err != nil {
		return err
	}
	defer release()
	f()
	return nil
}

// Acquire waits until both bounds have room and takes a place in each; release
// gives them back. It returns ctx's error when ctx ends first. An empty
// repository counts for the run only.
func (l *Limits) Acquire(ctx context.Context, repository string) (release func(), err error) {
	// The repository's place is taken first: whoever waits for it must not hold a
	// place that another repository could use.
	one := l.repository(repository)
	if err := acquire(ctx, one); err != nil {
		return nil, err
	}
	if err := acquire(ctx, l.all); err != nil {
		give(one)
		return nil, err
	}
	return func() {
		give(l.all)
		give(one)
	}, nil
}

// repository returns the places of a repository; those of "" are nil, without
// bound.
func (l *Limits) repository(name string) chan struct{} {
	if name == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each[name] == nil {
		l.each[name] = make(chan struct{}, PerRepository)
	}
	return l.each[name]
}

func acquire(ctx context.Context, place chan struct{}) error {
	if err := ctx.Err(); err != nil || place == nil {
		return err
	}
	select {
	case place <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func give(place chan struct{}) {
	if place != nil {
		<-place
	}
}
