package plots

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestWriteHeatmap(t *testing.T) {
	var svg bytes.Buffer
	matrix := [][]float64{{1, -0.25, math.NaN()}, {-0.25, 1, 0}, {math.NaN(), 0, 1}}
	if err := WriteHeatmap(&svg, "three", "n = 4", []string{"call", "code", "chat"}, matrix); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "three", "call", "code", "chat", "-0.25", "n = 4"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("picture lacks %q", want)
		}
	}
	if strings.Contains(svg.String(), "NaN") {
		t.Error("picture has NaN")
	}
	if err := WriteHeatmap(&svg, "", "", []string{"a"}, nil); err == nil {
		t.Error("names without rows are no error")
	}
}
