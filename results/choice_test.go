package results

import (
	"bytes"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

func chosen() Report {
	return Report{
		Study: "garden", Candidates: 12,
		Choice: &Choice{
			N: 900, Halvings: 1000,
			Finalists: []Finalist{
				{Trial: 31, Label: "random 21", Score: 0.8311, Best: 0.612},
				{Trial: 9, Label: "order + arith", Score: 0.829, Best: 0.33},
				{Trial: 12, Label: "random 2", Score: 0.82, Best: 0.058},
				{Trial: 0, Label: "order", Score: 0.71},
			},
			Gain: &Gain{
				Soup: 9, Parent: 0,
				Observed: Difference{Delta: 0.1172, Low: 0.091, High: 0.143, N: 900},
				Repeated: &Estimate{0.115, 0.0888, 0.1408}, Shrunken: Estimate{0.1161, 0.09, 0.142}, Factor: 0.417,
			},
			Plateau: &Plateau{Equal: 9, Label: "order + arith", Of: []string{"order", "arith"}, Other: 31, Difference: Difference{Delta: -0.0021, Low: -0.012, High: 0.008, N: 900}},
		},
		Exchanges: &Exchanges{N: 200, Items: 1800, Better: 4, Worse: 5},
	}
}

func TestWriteChoice(t *testing.T) {
	golden(t, "choice.txt", func(w *bytes.Buffer) error {
		err := WriteText(w, chosen())
		narrow(t, w.String(), columns)
		for line := range strings.Lines(w.String()) {
			if width := twwidth.Width(line); strings.Contains(line, "[") && !strings.Contains(line, ":") && width > 80 {
				t.Errorf("%d columns: %q", width, line)
			}
		}
		return err
	})
}

// What could not be estimated is not printed.
func TestWriteChoiceOfFew(t *testing.T) {
	r := chosen()
	r.Choice.Halvings, r.Choice.Gain.Repeated, r.Choice.Plateau, r.Exchanges = 0, nil, nil, nil
	var text bytes.Buffer
	must(t, WriteText(&text, r))
	for _, absent := range []string{"halves", "hardly", "A/A"} {
		if strings.Contains(text.String(), absent) {
			t.Errorf("%q in %s", absent, text.String())
		}
	}
}
