package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/hanzoai/kmsync/providers"
)

const (
	pageLen  = 100 // the most that these lists give at once
	maxPages = 100
)

var uuidForm = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$`)

// isUUID reports whether a text is a UUID in braces, as Bitbucket writes them. What
// is none is not kept: UUIDs are shown and recorded, and a broken service could put
// anything in their place.
func isUUID(s string) bool { return uuidForm.MatchString(s) }

// page is one page of any list.
type page[T any] struct {
	Page    int    `json:"page"`
	PageLen int    `json:"pagelen"`
	Size    *int   `json:"size"`
	Next    string `json:"next"`
	Values  *[]T   `json:"values"`
}

// listing gathers the pages of one list.
type listing[T any] struct {
	items []T
	seen  map[string]bool // UUIDs
	got   int             // items received, repeats too
	size  *int            // as the last page that said it
	doubt string          // the first thing that does not add up; "" if all does
}

func (l *listing[T]) suspect(format string, args ...any) {
	if l.doubt == "" {
		l.doubt = fmt.Sprintf(format, args...)
	}
}

// list asks for all pages of a list and tells items apart by id. The address in
// next has been wrong on these lists, so it is only the sign that there is more,
// and the pages are counted here (BCLOUD-20796). A next that leads to
// another origin is an error.
func list[T any](ctx context.Context, c *Client, k call, id func(T) string) (listing[T], error) {
	l := listing[T]{seen: map[string]bool{}}
	for number := 1; number <= maxPages; number++ {
		p, err := fetch[T](ctx, c, k, number)
		if err != nil {
			return l, err
		}
		if p.Next != "" && !c.http.SameOrigin(p.Next) {
			return l, &providers.Error{
				Op: k.op, Scope: k.scope, Kind: providers.KindForeign, Status: http.StatusOK, Sent: true,
				Hint: "The next page is said to be on another host than " + c.http.Host() + ", which is not asked.",
			}
		}
		if fresh := l.add(p, number, id); l.done(p, fresh) {
			l.settle()
			return l, nil
		}
	}
	l.suspect("there are more than %d pages", maxPages)
	return l, nil
}

// fetch asks for one page. Only page and pagelen are sent: other parameters once
// broke the lists of deployment variables.
func fetch[T any](ctx context.Context, c *Client, k call, number int) (page[T], error) {
	var p page[T]
	k.method = http.MethodGet
	k.query = url.Values{"page": {strconv.Itoa(number)}, "pagelen": {strconv.Itoa(pageLen)}}
	k.decode = func(body []byte) error {
		p = page[T]{}
		if err := json.Unmarshal(body, &p); err != nil {
			return err
		}
		if p.Values == nil {
			return errors.New("no values")
		}
		if len(*p.Values) > pageLen {
			return errors.New("more values than were asked for")
		}
		return nil
	}
	err := c.send(ctx, k)
	return p, err
}

// add takes the items of page p, and returns how many of them are new.
func (l *listing[T]) add(p page[T], number int, id func(T) string) int {
	if p.Page != 0 && p.Page != number {
		l.suspect("page %d was asked for and page %d came", number, p.Page)
	}
	if l.size != nil && p.Size != nil && *l.size != *p.Size {
		l.suspect("the number of items changed while reading")
	}
	if p.Size != nil {
		l.size = p.Size
	}
	if len(*p.Values) == 0 && p.Next != "" {
		l.suspect("page %d is empty and says that there is more", number)
	}
	fresh := 0
	for _, item := range *p.Values {
		l.got++
		switch uuid := id(item); {
		case !isUUID(uuid):
			l.suspect("an item on page %d has no UUID", number)
		case l.seen[uuid]:
			l.suspect("an item on page %d came twice", number)
		default:
			l.seen[uuid] = true
			l.items = append(l.items, item)
			fresh++
		}
	}
	return fresh
}

// done reports whether p is the last page: it is empty, or brings nothing new, or
// size is reached, or it is short and does not say that there is more.
func (l *listing[T]) done(p page[T], fresh int) bool {
	full := pageLen
	if p.PageLen > 0 && p.PageLen < full {
		full = p.PageLen // the service gives fewer at once than it was asked for
	}
	switch {
	case fresh == 0, l.size != nil && l.got >= *l.size:
		return true
	}
	return len(*p.Values) < full && p.Next == ""
}

// settle compares what came with what was announced.
func (l *listing[T]) settle() {
	if l.size != nil && *l.size != len(l.items) {
		l.suspect("%d items were announced and %d came", *l.size, len(l.items))
	}
}
