package results

import (
	"bytes"
	"slices"
	"testing"
)

// between is a barrier of so many points, sure or not.
func between(first, second string, height float64, verdict string) Barrier {
	return Barrier{First: first, Second: second, Difference: Difference{Delta: height / 100, Verdict: verdict}}
}

func fourParents() *Midpoints {
	return &Midpoints{
		Barriers: []Barrier{
			between("a", "b", -3, Worse), between("a", "c", 12, Better), between("a", "d", 2, Noise),
			between("b", "c", 20, Better), between("b", "d", 4, Better), between("c", "d", 7.5, Better),
		},
		Needless: []Needless{{Parent: "d", Over: "a", Difference: Difference{Delta: .1, Low: .05, High: .15}}},
	}
}

func TestMidpointFindings(t *testing.T) {
	want := []string{
		"warn: barrier: c: halfway to each other parent the score lies below the mean of the two, by 7.5 to 20.0 points; remedy: leave it out: it cannot be averaged with the others",
		"note: adds-nothing: d: a is as good or better in every category, and half of this parent costs it 10.0 points [5.0, 15.0]; remedy: leave it out, unless it is good at what is not scored here",
	}
	if got := (Report{Findings: fourParents().Findings()}).FindingLines(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// A parent is not accused for pairs that were not measured.
	m := fourParents()
	m.Barriers = slices.Delete(m.Barriers, 5, 6)
	if got := m.Findings(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := (*Midpoints)(nil).Findings(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestWriteMidpoints(t *testing.T) {
	m := fourParents()
	m.Barriers = m.Barriers[:5]
	r := Report{Study: "s", Parents: []string{"a", "b", "c", "d"}, Midpoints: m}
	golden(t, "midpoints.txt", func(w *bytes.Buffer) error { return WriteText(w, r) })
	golden(t, "midpoints.md", func(w *bytes.Buffer) error { return WriteMarkdown(w, r) })
	r.Parents = append(r.Parents, "e", "f", "g", "h", "a parent with a name that does not fit here", "j", "k", "l")
	golden(t, "midpoints-many.txt", func(w *bytes.Buffer) error { return WriteTextWidth(w, r, 80) })
}
