package single

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"soup/merge"
)

// Merged is what was written.
type Merged struct {
	Names    []string
	Groups   []string    // names of the rows of Weights; none where there is only the one
	Weights  [][]float64 // effective, [group][parent]
	Shares   []float64   // of each group in the soup's parameters; they sum to 1
	Record   string      // the soup.json that was written with it
	Stats    merge.Stats
	Recorded string // the recipe's file, where the soup is the one recorded there
}

// merged describes a soup before it is there.
func merged(b blend, out string) (Merged, error) {
	m := Merged{Names: b.names, Weights: b.recipe.Weights, Groups: b.recipe.Groups.Names, Record: merge.RecordPath(out)}
	sizes, err := merge.GroupSizes(b.parents[0], b.recipe.Groups, merge.AsStored)
	if err != nil {
		return m, err
	}
	for _, g := range sizes {
		m.Shares = append(m.Shares, float64(g.Parameters)/float64(max(1, b.parents[0].Parameters())))
	}
	return m, nil
}

// maxHeader is how many characters of groups' names a table shows. Methods that
// look at the tensors make hundreds of groups, recipes such with long names.
const maxHeader = 80

// WriteText prints the effective weights and the checksum.
func (m Merged) WriteText(w io.Writer) error {
	var err error
	if len(strings.Join(m.Groups, "   ")) > maxHeader {
		err = m.writeSummary(w)
	} else {
		err = m.writeWeights(w)
	}
	if err != nil {
		return err
	}
	return m.writeSum(w)
}

// writeSum prints the checksum.
func (m Merged) writeSum(w io.Writer) error {
	same := ""
	if m.Recorded != "" {
		same = ", identical to the soup of " + m.Recorded
	}
	_, err := fmt.Fprintf(w, "weights file sha256 %s%s\n", m.Stats.SHA256, same)
	return err
}

// writeWeights prints a column a group.
func (m Merged) writeWeights(w io.Writer) error {
	// Names of groups and tensors stand as they are, not as titles.
	table := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off))
	header := []any{"PARENT", "WEIGHT"}
	if len(m.Groups) > 0 {
		header = header[:1]
		for _, g := range m.Groups {
			header = append(header, g)
		}
	}
	table.Header(header...)
	for i, name := range m.Names {
		line := []any{name}
		for _, row := range m.Weights {
			line = append(line, short(row[i]))
		}
		if err := table.Append(line...); err != nil {
			return err
		}
	}
	return table.Render()
}

// writeSummary prints means and ranges over the groups.
func (m Merged) writeSummary(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("parent", "mean weight", "least", "largest")
	for i, name := range m.Names {
		mean, least, largest := 0.0, m.Weights[0][i], m.Weights[0][i]
		for g, row := range m.Weights {
			mean += m.Shares[g] * row[i]
			least, largest = min(least, row[i]), max(largest, row[i])
		}
		if err := table.Append(name, short(mean), short(least), short(largest)); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d groups of tensors have weights of their own; all are in %s\n", len(m.Groups), m.Record)
	return err
}

// short prints a weight with six digits.
func short(x float64) string {
	return strconv.FormatFloat(x, 'g', 6, 64)
}
