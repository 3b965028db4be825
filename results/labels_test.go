package results

import (
	"reflect"
	"testing"
)

func TestLabels(t *testing.T) {
	l := begun(t)
	completed(t, l, 0)
	kept := &LabelScores{LogProbs: []float64{-0.5, -1.25}, Right: 1}
	must(t, l.Record(0, Test, []Outcome{{Item: "a", Category: "c", State: Failed}, {Item: "b", Category: "c", State: OK}}))
	must(t, l.Record(0, Test, []Outcome{{Item: "a", Category: "c", State: OK, Labels: kept}}))
	got, err := l.Labels(0, Test)
	must(t, err)
	if want := map[string]LabelScores{"a": *kept}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, err := l.Labels(0, Search); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if err := l.Record(0, Test, []Outcome{{Item: "d", Category: "c", State: OK, Labels: &LabelScores{LogProbs: []float64{-1}, Right: 1}}}); err == nil {
		t.Error("a right label that is not there")
	}
	must(t, l.Check())
}
