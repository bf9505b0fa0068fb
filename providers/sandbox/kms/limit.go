package kms

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
)

// limitWindow is how long a window of the rate limit is open (seen in 2024:
// x-ratelimit-reset counts down from 60).
const limitWindow = time.Minute

// window counts the requests of one address to one route.
type window struct {
	opened time.Time
	count  int
}

// limit counts a request and refuses it when the world's limit is passed. Every
// answer of a limited route says how many are left; Retry-After stands on the
// refusal only.
func (c *call) limit() *answer.Problem {
	most := c.world.KMS.Switches.RateLimit
	if most == 0 {
		return nil
	}
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		host = c.r.RemoteAddr
	}
	count, left := c.s.count(c.r.Method+" "+c.route.template+"\x00"+host, c.s.now())
	seconds := int((left + time.Second - 1) / time.Second)
	c.header.Set("x-ratelimit-limit", strconv.Itoa(most))
	c.header.Set("x-ratelimit-remaining", strconv.Itoa(max(0, most-count)))
	c.header.Set("x-ratelimit-reset", strconv.Itoa(seconds))
	if count <= most {
		return nil
	}
	c.header.Set("Retry-After", strconv.Itoa(seconds))
	return c.gen.tooMany(seconds)
}

func (s *Service) count(key string, now time.Time) (count int, left time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.windows[key]
	if w.count == 0 || now.Sub(w.opened) >= limitWindow {
		w = window{opened: now}
	}
	w.count++
	s.windows[key] = w
	return w.count, limitWindow - now.Sub(w.opened)
}

func currentTooMany(seconds int) *answer.Problem {
	return answer.Fail(http.StatusTooManyRequests, "RateLimitExceeded", fmt.Sprintf("Rate limit exceeded. Please try again in %d seconds", seconds))
}
