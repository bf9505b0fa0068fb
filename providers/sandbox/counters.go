package sandbox

import (
	"maps"
	"sync"
)

// counters count requests by method and path template.
type counters struct {
	mu sync.Mutex
	by map[string]int
}

func (c *counters) add(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[key]++
}

// Requests returns how many requests arrived since the start or the last
// ResetRequests, by method and path template ("GET /api/v4/secrets",
// "POST /2.0/repositories/{workspace}/{repo}/pipelines_config/variables").
// Requests that a fault cut off count too.
func (s *Server) Requests() map[string]int {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	out := map[string]int{}
	maps.Copy(out, s.counts.by)
	return out
}

// Total returns the sum of Requests.
func (s *Server) Total() int {
	total := 0
	for _, n := range s.Requests() {
		total += n
	}
	return total
}

// ResetRequests sets the counters back to nothing.
func (s *Server) ResetRequests() {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	s.counts.by = nil
}
