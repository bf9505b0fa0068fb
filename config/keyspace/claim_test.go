package keyspace

import "testing"

// TestMeetings: each writer has the first before it that it clashes with, whoever
// of the two claims; writers that do the same are told from those that do not.
func TestMeetings(t *testing.T) {
	t.Parallel()
	a, b, all := Range("A_", ""), Range("B_", ""), Range("", "")
	writes := func(s ...Space) Claim { return Claim{Produced: s} }
	claims := func(s Space) Claim { return Claim{Produced: []Space{s}, Claimed: []Space{s}} }
	for name, c := range map[string]struct {
		list []Claim
		want map[int]Meeting
	}{
		"nobody claims": {[]Claim{writes(all), writes(all)}, nil},
		"apart":         {[]Claim{claims(a), claims(b)}, nil},
		"the later claims": {
			[]Claim{writes(all), claims(b)},
			map[int]Meeting{1: {Clash{"B_NAME", true}, 0, 1}},
		},
		"the earlier claims": {
			[]Claim{claims(b), writes(all)},
			map[int]Meeting{1: {Clash{"B_NAME", false}, 0, 1}},
		},
		"alike": {
			[]Claim{claims(a), claims(a), claims(a)},
			map[int]Meeting{1: {Clash{"A_NAME", true}, 0, 1}, 2: {Clash{"A_NAME", true}, 0, 2}},
		},
		"between those alike": {
			[]Claim{claims(a), claims(b), writes(a), writes(b), writes(all), writes(b)},
			map[int]Meeting{
				2: {Clash{"A_NAME", false}, 0, 1}, 3: {Clash{"B_NAME", false}, 1, 1},
				4: {Clash{"A_NAME", false}, 0, 2}, 5: {Clash{"B_NAME", false}, 1, 1},
			},
		},
		"a second space": {
			[]Claim{claims(b), writes(a, b)},
			map[int]Meeting{1: {Clash{"B_NAME", false}, 0, 1}},
		},
		"the same spaces, written or claimed": {
			[]Claim{writes(a, b), {Produced: []Space{a}, Claimed: []Space{b}}},
			map[int]Meeting{1: {Clash{"B_NAME", true}, 0, 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := new(Prover).Meetings(c.list)
			if len(got) != len(c.want) {
				t.Errorf("%d meetings, want %d", len(got), len(c.want))
			}
			for i, want := range c.want {
				if got[i] == nil || *got[i] != want {
					t.Errorf("%d: %+v, want %+v", i, got[i], want)
				}
			}
		})
	}
}
