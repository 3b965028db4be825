package eval

import (
	"fmt"
	"math"
	"testing"
)

func TestShareKept(t *testing.T) {
	list := func(right func(i int) bool) (out []Outcome) {
		for i := range 200 {
			o := Outcome{ID: fmt.Sprintf("%03d", i), Category: "a", State: StateOK}
			if right(i) {
				o.Score = 1
			}
			out = append(out, o)
		}
		return out
	}
	worse, better := list(func(i int) bool { return i < 40 }), list(func(i int) bool { return i < 140 })
	middle := list(func(i int) bool { return i < 120 })
	s, ok := ShareKept(middle, worse, better, nil)
	if !ok || math.Abs(s.Share-0.8) > 1e-12 || s.Low > 0.76 || s.Low < 0.65 || s.High < 0.84 || s.High > 0.95 {
		t.Errorf("%+v, %v", s, ok)
	}
	for name, c := range map[string]struct {
		candidate []Outcome
		want      float64
	}{"all of it": {better, 1}, "none of it": {worse, 0}} {
		if s, ok := ShareKept(c.candidate, worse, better, nil); !ok || s != (Share{c.want, c.want, c.want}) {
			t.Errorf("%s: %+v, %v", name, s, ok)
		}
	}
	if s, ok := ShareKept(middle, better, worse, nil); ok {
		t.Errorf("of a loss: %+v", s)
	}
	if s, ok := ShareKept(middle, worse, better, map[string]float64{"a": 0}); ok {
		t.Errorf("of nothing that counts: %+v", s)
	}
	// Items without a score on one side count nowhere.
	for i := 100; i < 200; i++ {
		middle[i] = Outcome{ID: middle[i].ID, Category: "a", State: StateFailed}
	}
	if s, ok := ShareKept(middle, worse, better, nil); !ok || s.Share != 1 {
		t.Errorf("%+v, %v", s, ok)
	}
}
