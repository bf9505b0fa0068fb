package bitbucket

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// variableBody is a variable as the service shows it. Value is left out
// altogether when secured.
type variableBody struct {
	Type    string  `json:"type,omitempty"`
	UUID    string  `json:"uuid"`
	Key     string  `json:"key"`
	Value   *string `json:"value,omitempty"`
	Secured bool    `json:"secured"`
}

func render(v world.Variable, s world.Switches) variableBody {
	body := variableBody{Type: "pipeline_variable", UUID: v.UUID, Key: v.Key, Secured: v.Secured}
	if s.NoType {
		body.Type = ""
	}
	if !v.Secured {
		body.Value = &v.Value
	}
	return body
}

// list pages through the variables of one place, in the order of the file:
// the service documents none.
func (s *Service) list(r *http.Request, p place, switches world.Switches) answer {
	inEnvironment := p.environment != nil
	shown := []variableBody{}
	first := number(r.URL.Query().Get("page"), 1) <= 1
	for _, v := range *p.variables {
		if inEnvironment && switches.EmptyEnvironmentListing {
			break
		}
		if !s.stillHidden(v.UUID, first) {
			shown = append(shown, render(v, switches))
		}
	}
	return paginate(r, shown, switches.StuckNext && inEnvironment)
}

// stillHidden tells whether a new variable is withheld from a listing, and
// counts the listing against its delay on the first page.
func (s *Service) stillHidden(uuid string, firstPage bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left, ok := s.hidden[uuid]
	switch {
	case !ok:
		return false
	case firstPage && left == 0:
		delete(s.hidden, uuid)
		return false
	case firstPage:
		s.hidden[uuid] = left - 1
	}
	return true
}

func findVariable(vars []world.Variable, uuid string) *world.Variable {
	i := slices.IndexFunc(vars, func(v world.Variable) bool { return v.UUID == uuid })
	if i < 0 {
		return nil
	}
	return &vars[i]
}

func variableNotFound(lean bool) answer {
	return failure{status: http.StatusNotFound, message: "Not found", detail: "Variable not found", code: "variable-service.variable.not-found"}.answer(lean)
}

func duplicate(key string, lean bool) answer {
	return failure{
		status: http.StatusConflict, message: "Conflict", detail: "Variable with key " + key + " already exists for the account/environment.",
		code: "variable-service.variable.duplicate", arguments: map[string]string{"key": key},
	}.answer(lean)
}

// change answers the routes that write.
func (s *Service) change(wd *world.World, rt route, r *http.Request, body variableInput) answer {
	p, refused := locate(&wd.Bitbucket, rt)
	if refused.status != 0 {
		return refused
	}
	switches := wd.Bitbucket.Switches
	switch rt.kind {
	case createVariable:
		return s.create(r, p, body, switches)
	case updateVariable:
		return s.update(p, rt.variable, body, switches)
	}
	return s.remove(p, rt.variable, switches.LeanErrors)
}

func (s *Service) create(r *http.Request, p place, in variableInput, switches world.Switches) answer {
	v := world.Variable{}
	in.require("key", in.Key == nil)
	in.require("value", in.Value == nil)
	if refused := in.apply(&v, switches); refused.status != 0 {
		return refused
	}
	if taken(*p.variables, v.Key, "", switches.ExactCase) {
		return duplicate(v.Key, switches.LeanErrors)
	}
	v.UUID = "{" + s.store.NewUUID() + "}"
	*p.variables = append(*p.variables, v)
	if switches.DelayReads > 0 {
		s.mu.Lock()
		s.hidden[v.UUID] = switches.DelayReads
		s.mu.Unlock()
	}
	s.record(p.effect(ActionCreate, v))
	a := reply(http.StatusCreated, render(v, switches))
	a.effect = true
	location := "http://" + r.Host + strings.TrimSuffix(rawPath(r), "/") + "/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(v.UUID)
	a.header = http.Header{"Location": {location}}
	return a
}

// update merges: what the body leaves out stays as it is.
func (s *Service) update(p place, uuid string, in variableInput, switches world.Switches) answer {
	stored := findVariable(*p.variables, uuid)
	if stored == nil {
		return variableNotFound(switches.LeanErrors)
	}
	// A secret that nobody may read must not become readable by a switch.
	in.require("value", stored.Secured && in.Secured != nil && !*in.Secured && in.Value == nil)
	v := *stored
	if refused := in.apply(&v, switches); refused.status != 0 {
		return refused
	}
	if taken(*p.variables, v.Key, uuid, switches.ExactCase) {
		return duplicate(v.Key, switches.LeanErrors)
	}
	v.Secured = v.Secured || (stored.Secured && switches.StaysSecured)
	e := p.effect(ActionUpdate, v)
	if v.Key != stored.Key {
		e.OldKey = stored.Key
	}
	*stored = v
	s.record(e)
	a := reply(http.StatusOK, render(v, switches))
	a.effect = true
	return a
}

func (s *Service) remove(p place, uuid string, lean bool) answer {
	stored := findVariable(*p.variables, uuid)
	if stored == nil {
		return variableNotFound(lean)
	}
	gone := *stored
	*p.variables = slices.DeleteFunc(*p.variables, func(v world.Variable) bool { return v.UUID == uuid })
	s.record(p.effect(ActionDelete, gone))
	return answer{status: http.StatusNoContent, effect: true}
}

// taken tells whether another variable of the place has the key. Without
// exactCase keys that differ only by case are the same.
func taken(vars []world.Variable, key, except string, exactCase bool) bool {
	return slices.ContainsFunc(vars, func(v world.Variable) bool {
		same := v.Key == key || !exactCase && strings.EqualFold(v.Key, key)
		return same && v.UUID != except
	})
}
