package single

import (
	"fmt"
	"strings"
	"testing"
)

// TestMergedText: few groups have a column each, under their own names; of many
// there are means, weighted by size, and ranges.
func TestMergedText(t *testing.T) {
	text := func(m Merged) string {
		var b strings.Builder
		if err := m.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := func(text string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Errorf("no %q in\n%s", p, text)
			}
		}
	}
	m := Merged{Names: []string{"a", "b"}, Weights: [][]float64{{0.25, 0.75}}, Shares: []float64{1}, Record: "out/soup.json"}
	m.Stats.SHA256, m.Recorded = "abc", "old.json"
	want(text(m), "WEIGHT", "0.25", "sha256 abc, identical to the soup of old.json\n")

	m.Groups, m.Weights, m.Shares = []string{"layers 0-1", "lm_head.weight and 2 more"}, [][]float64{{0.25, 0.75}, {1, 0}}, []float64{0.9, 0.1}
	want(text(m), "layers 0-1", "lm_head.weight and 2 more", "0.75")

	m.Groups, m.Weights, m.Shares = nil, nil, nil
	for g := range 300 {
		w := float64(g) / 299
		m.Groups, m.Weights, m.Shares = append(m.Groups, fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", g)), append(m.Weights, []float64{w, 1 - w}), append(m.Shares, 0)
	}
	m.Shares[0], m.Shares[299] = 0.75, 0.25
	got := text(m)
	want(got, "MEAN WEIGHT", "│ a      │ 0.25        │ 0     │ 1       │", "300 groups of tensors have weights of their own; all are in out/soup.json")
	if lines := strings.Count(got, "\n"); lines > 8 {
		t.Errorf("%d lines", lines)
	}
}
