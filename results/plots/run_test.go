package plots

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"soup/results"
)

func TestRunFigure(t *testing.T) {
	r := made(3, 12)
	se, earlier := 0.01, 1
	c := &results.Curve{Window: 2, Earlier: &earlier}
	for i := range 8 {
		soft := -1 + float64(i)/10
		at := results.RunScore{Trial: i, Score: 0.5 + float64(i%3)/20, SE: &se, Soft: &soft}
		step := results.CurveStep{Checkpoint: fmt.Sprint("step-", 900+100*i), Raw: &at}
		if i > 0 {
			step.Averaged, step.Of = &at, 2
		}
		c.Points = append(c.Points, step)
	}
	r.Curve = c
	all := texts(t, draw1(t, r, "run"))
	for _, want := range []string{"score (points)", "smooth score (nats)", "1600", "1400", "mean of the last 2"} {
		if !slices.Contains(all, want) {
			t.Errorf("no %q in %q", want, all)
		}
	}
	for i := range c.Points {
		c.Points[i].Raw = &results.RunScore{Score: 0.5}
	}
	if svg := draw1(t, r, "run"); strings.Contains(svg, "nats") {
		t.Error("smooth scores that are not there")
	}
}
