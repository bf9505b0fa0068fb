// Package lock is a mutex that a waiter can leave when its context ends.
package lock

import "context"

// Lock is held by one goroutine at a time. [New] makes one.
type Lock chan struct{}

// New returns a lock that nobody holds.
func New() Lock { return make(Lock, 1) }

// Acquire waits for the lock. It returns the error of ctx when that ends first.
func (l Lock) Acquire(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives the lock back.
func (l Lock) Release() { <-l }
