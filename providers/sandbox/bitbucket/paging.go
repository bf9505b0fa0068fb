package bitbucket

import (
	"net/http"
	"net/url"
	"strconv"
)

const (
	defaultPageLength = 10
	maxPageLength     = 100
)

// page is one page of a list.
type page[T any] struct {
	Page     int    `json:"page"`
	PageLen  int    `json:"pagelen"`
	Size     int    `json:"size"`
	Values   []T    `json:"values"`
	Next     string `json:"next,omitempty"`
	Previous string `json:"previous,omitempty"`
}

// paginate cuts the page out of all that the query asks for. stuck makes
// "next" point at the present page.
func paginate[T any](r *http.Request, all []T, stuck bool) answer {
	q := r.URL.Query()
	length := number(q.Get("pagelen"), defaultPageLength)
	length = min(max(length, 1), maxPageLength)
	at := max(number(q.Get("page"), 1), 1)
	p := page[T]{Page: at, PageLen: length, Size: len(all), Values: []T{}}
	// Compare before multiplying: a huge page number must not overflow.
	if pages := (len(all) + length - 1) / length; at <= pages {
		from := (at - 1) * length
		p.Values = all[from:min(from+length, len(all))]
		if at < pages {
			p.Next = pageURL(r, at+1, length)
			if stuck {
				p.Next = pageURL(r, at, length)
			}
		}
	}
	if at > 1 {
		p.Previous = pageURL(r, at-1, length)
	}
	return reply(http.StatusOK, p)
}

// number reads a query parameter; what is not a number counts as absent.
func number(text string, absent int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return absent
	}
	return n
}

func pageURL(r *http.Request, at, length int) string {
	q := url.Values{"page": {strconv.Itoa(at)}, "pagelen": {strconv.Itoa(length)}}
	return "http://" + r.Host + rawPath(r) + "?" + q.Encode()
}
