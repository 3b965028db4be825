package eval

import (
	"math"
	"testing"
)

func TestDifferences(t *testing.T) {
	scored := func(id string, score float64) Outcome {
		return Outcome{ID: id, Category: "c", State: StateOK, Score: score}
	}
	a := []Outcome{scored("1", 1), scored("2", 1), scored("3", 0), scored("4", 1), {ID: "5", Category: "c", State: StateFailed}}
	b := []Outcome{scored("1", 0), scored("2", 1), scored("3", 0), {ID: "4", Category: "c", State: StateTimeout}, scored("5", 1)}
	d := Differences(a, b)["c"]
	// 1, 0, 0: mean 1/3, standard deviation sqrt(1/3).
	if d.N != 3 || d.Units != 3 || math.Abs(d.Mean-1.0/3) > 1e-12 || math.Abs(d.SE-1.0/3) > 1e-12 {
		t.Errorf("%+v", d)
	}
	if len(Differences(a, nil)) != 0 {
		t.Error("nothing is paired")
	}
}
