package results

import (
	"math"
	"strings"
	"testing"
)

func TestPlaceInThePlane(t *testing.T) {
	l := Landscape{Corners: []string{"a", "b", "c"}, Distances: []float64{4, 3, 5}}
	for _, c := range []struct{ weights, at []float64 }{
		{[]float64{1, 0, 0}, []float64{0, 0}},
		{[]float64{0, 1, 0}, []float64{4, 0}},
		{[]float64{0, 0, 1}, []float64{0, 3}}, // a right angle at a
		{[]float64{-0.5, 0.5, 1}, []float64{2, 3}},
	} {
		if x, y := l.Place(c.weights); math.Hypot(x-c.at[0], y-c.at[1]) > 1e-12 {
			t.Errorf("%v: %v, %v", c.weights, x, y)
		}
	}
	if x, y := (&Landscape{}).Place([]float64{0, 0, 1}); math.Hypot(x-0.5, y-math.Sqrt(3)/2) > 1e-12 {
		t.Errorf("equal sides: %v, %v", x, y)
	}
	for _, distances := range [][]float64{{4, 1, 3}, {0, 1, 1}, {4, 0, 4}} {
		if !(&Landscape{Distances: distances}).Flat() {
			t.Errorf("%v are no line", distances)
		}
	}
	if l.Flat() {
		t.Error("a right angle is a line")
	}
}

func TestLandscapeTable(t *testing.T) {
	loss := func(x float64) *float64 { return &x }
	r := Report{Landscape: &Landscape{Corners: []string{"a", "b", "c"}, Points: []PlanePoint{
		{Weights: []float64{1, 0, 0}, Loss: loss(0.5), Search: 0.5},
		{Weights: []float64{0, 1, 0}, Loss: loss(0.75), Search: 0.25},
		{Weights: []float64{0, 0, 1}, Loss: loss(1), Search: 0.125},
		{Weights: []float64{0.25, 0.75, 0}, Loss: loss(0.125), Search: 0.5},
	}}}
	var text strings.Builder
	if err := WriteTextWidth(&text, r, 120); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"plane, 4 points", "at its corners", "the corners are a, b, c", "0.125 at 0.25 a + 0.75 b", "0.500, 0.750, 1.000", "12.5 at 1 c"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "error on test") {
		t.Error("an error that was not measured")
	}
}
