package canary

import (
	"errors"
	"math"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"soup/eval"
)

var said = []Reading{{" Paris", -0.25}, {" Lyon", -2.5}, {" a", math.Inf(-1)}}

// moved returns the readings with something changed.
func moved(change func([]Reading)) []Reading {
	out := append([]Reading(nil), said...)
	change(out)
	return out
}

func TestVersion(t *testing.T) {
	for _, test := range []struct {
		name      string
		tolerance float64
		other     []Reading
		same      bool
	}{
		{"the same", 0, said, true},
		{"the last bit", 0, moved(func(r []Reading) { r[0].LogProb = math.Nextafter(r[0].LogProb, 0) }), false},
		{"another token", 0, moved(func(r []Reading) { r[1].Token = " Nice" }), false},
		{"another order", 0, []Reading{said[1], said[0], said[2]}, false},
		{"one less", 0, said[:2], false},
		{"within the tolerance", 0.01, moved(func(r []Reading) { r[0].LogProb += 0.009 }), true},
		{"beyond it", 0.01, moved(func(r []Reading) { r[0].LogProb += 0.011 }), false},
		{"two of nearly equal probability", 0.01, moved(func(r []Reading) { r[0].Token, r[1].Token = r[1].Token, r[0].Token }), true},
		{"no longer impossible", 0.01, moved(func(r []Reading) { r[2].LogProb = -20 }), false},
		{"one less, with tolerance", 0.01, said[:2], false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Canary{Tolerance: test.tolerance}
			first, err := c.Version(said)
			if err != nil || first == "" {
				t.Fatalf("%q %v", first, err)
			}
			other, err := c.Version(test.other)
			if err != nil || (other == first) != test.same {
				t.Errorf("%q, then %q (%v); equal should be %t", first, other, err, test.same)
			}
			if again, _ := c.Version(said); again != first {
				t.Errorf("back at the first: %q, was %q", again, first)
			}
		})
	}
}

func TestVersionRefuses(t *testing.T) {
	var c Canary
	if v, err := c.Version(nil); !errors.Is(err, eval.ErrReply) || v != "" {
		t.Errorf("no readings: %q, %v", v, err)
	}
	v, err := c.Version(moved(func(r []Reading) { r[1].LogProb = math.NaN() }))
	if !errors.Is(err, eval.ErrNotNumbers) || v != "" {
		t.Errorf("NaN: %q, %v", v, err)
	}
}

// A version does not depend on what else was read, so that a study that goes on
// after a restart knows its candidates again.
func TestVersionIsOfTheReadingsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reading {
			return Reading{rapid.String().Draw(t, "token"), rapid.Float64Range(-40, 0).Draw(t, "logprob")}
		}), 1, 20)
		var c, fresh Canary
		for range rapid.IntRange(0, 5).Draw(t, "before") {
			if _, err := c.Version(readings.Draw(t, "other")); err != nil {
				t.Fatal(err)
			}
		}
		r := readings.Draw(t, "readings")
		a, err := c.Version(r)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := fresh.Version(r); err != nil || a != b {
			t.Fatalf("%q after others, %q alone, %v", a, b, err)
		}
	})
}

func TestConcurrent(t *testing.T) {
	c := Canary{Tolerance: 0.01}
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			if _, err := c.Version(moved(func(r []Reading) { r[0].LogProb -= float64(i) })); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestRecognise(t *testing.T) {
	var c Canary
	read := func(a, b float64) []Reading { return []Reading{{"x", a}, {"y", b}} }
	first, err := c.Version(read(-1, -2))
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Version(read(-1.05, -2))
	if err != nil || first == second {
		t.Fatalf("%s %s %v", first, second, err)
	}
	for _, test := range []struct {
		readings []Reading
		want     eval.Version
	}{
		{read(-1, -2), first},
		{read(-1.001, -2.001), first},
		{read(-1.049, -2), second},
		{read(-1, -3), "unknown weights"},
		{read(-1, math.NaN()), "unknown weights"},
		{nil, "unknown weights"},
	} {
		if got := c.Recognise(test.readings); got != test.want {
			t.Errorf("%v: %s, want %s", test.readings, got, test.want)
		}
	}
}
