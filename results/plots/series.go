package plots

import "gonum.org/v1/plot/plotter"

// Series are the numbers behind marks of one kind: what is drawn is taken from
// here, so who reads them knows what the figure shows. Scores and differences are
// points.
type Series struct {
	Name    string   // of the mark, or of the panel
	Columns []string // what the values of a row are
	Rows    []Row
}

// Row is one mark: a trial by its number, a category, a strategy.
type Row struct {
	Label  string
	Values []float64 // NaN where nothing is known
}

// series begins one of a figure.
func (f *Figure) series(name string, columns ...string) *Series {
	s := &Series{Name: name, Columns: columns}
	f.Data = append(f.Data, s)
	return s
}

// add returns the row that was added.
func (s *Series) add(label string, values ...float64) Row {
	s.Rows = append(s.Rows, Row{label, values})
	return s.Rows[len(s.Rows)-1]
}

// xys are the first two columns.
func (s *Series) xys() plotter.XYs {
	list := make(plotter.XYs, len(s.Rows))
	for i, r := range s.Rows {
		list[i] = plotter.XY{X: r.Values[0], Y: r.Values[1]}
	}
	return list
}

// intervalColumns are those of a row that [Row.whisker] takes.
func intervalColumns(x, y string) []string { return []string{x, y, "low", "high"} }
