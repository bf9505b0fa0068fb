package main

import (
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// change is what happens to an estate between two runs.
func (e *estate) change(w *world.World) {
	for range 2 + e.r.IntN(6) {
		switch e.r.IntN(3) {
		case 0:
			e.changeSecrets(folderOf(w, pick(e.r, estateFolders)))
		case 1:
			e.changeVariables(w, pick(e.r, estatePlaces))
		default:
			e.changeSyncs()
		}
	}
}

func (e *estate) changeSecrets(f *world.Folder) {
	name := pick(e.r, estateNames)
	i := slices.IndexFunc(f.Secrets, func(s world.Secret) bool { return s.Key == name })
	switch {
	case i < 0:
		f.Secrets = append(f.Secrets, e.secret(name))
	case e.oneIn(3):
		f.Secrets = slices.Delete(f.Secrets, i, i+1)
	case e.oneIn(3):
		if other := pick(e.r, estateNames); f.Secret(other) == nil {
			f.Secrets[i].Key = other // the same secret, by another name
		}
	default:
		f.Secrets[i].Value = e.value()
		f.Secrets[i].Version++
	}
}

func (e *estate) changeVariables(w *world.World, place string) {
	list := variablesOf(w, place)
	if len(*list) == 0 || e.oneIn(4) {
		e.byHand(w, place)
		return
	}
	i := e.r.IntN(len(*list))
	switch v := &(*list)[i]; e.r.IntN(4) {
	case 0:
		v.UUID, v.Value = e.uuid(), "made again"
	case 1:
		v.Secured = false
	case 2:
		v.Value, v.Secured = "changed by hand", false
	default:
		*list = slices.Delete(*list, i, i+1)
	}
}

func (e *estate) changeSyncs() {
	if len(e.syncs) == 0 {
		return
	}
	i := e.r.IntN(len(e.syncs))
	s := e.syncs[i]
	switch e.r.IntN(9) {
	case 0:
		s.disabled = !s.disabled
	case 1:
		s.keepsVariables = !s.keepsVariables
	case 2:
		s.protect = pick(e.r, []string{"", "*K1", "*K2"})
	case 3:
		s.unsecured = pick(e.r, []string{"", "*K3", "*K4"})
	case 4:
		s.encoded = pick(e.r, []string{"", "*K4", "*K5"})
	case 5:
		s.sources[0] = e.newSource(false)
	case 6:
		e.overwrite(s, !s.overwrites)
	case 7:
		e.move(s)
	default:
		e.leave(i)
	}
}

// move gives a sync another address.
func (e *estate) move(s *syncText) {
	if strings.HasSuffix(s.name, "moved") || s.overwrites {
		return
	}
	e.moved = append(e.moved, [2]string{"sync." + s.name, "sync." + s.name + "moved"})
	s.name += "moved"
}

// leave takes a sync out of the configuration, with a removed block or without.
func (e *estate) leave(i int) {
	s := e.syncs[i]
	e.syncs = slices.Delete(e.syncs, i, i+1)
	for _, address := range []string{"sync." + strings.TrimSuffix(s.name, "moved"), "sync." + s.name} {
		e.moved = slices.DeleteFunc(e.moved, func(m [2]string) bool { return m[0] == address })
		said := slices.ContainsFunc(e.gone, func(g removedText) bool { return g.from == address })
		if keep := e.oneIn(2); !said && !e.oneIn(3) {
			e.gone = append(e.gone, removedText{address, keep})
		}
	}
}
