package applier

import "sync"

// order lets events of parallel work out in the order of the tasks they belong
// to: each waits until those before it are known.
type order struct {
	to      func(Event)
	mu      sync.Mutex
	next    int
	waiting map[int]Event
}

// put takes the event of the task with this number, once for each; nil is none.
func (o *order) put(i int, e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[i] = e
	for {
		e, known := o.waiting[o.next]
		if !known {
			return
		}
		delete(o.waiting, o.next)
		o.next++
		if e != nil {
			o.to(e)
		}
	}
}
