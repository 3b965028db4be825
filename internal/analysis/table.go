package analysis

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"soup/internal/usage"
	"soup/search"
)

// Columns say how to read a table of scores.
type Columns struct {
	Model      string   // name of the column with the models' names; default "model" in any case, else the first
	Categories []string // columns, by name or pattern such as "Live *"; default all with numbers
	Transposed bool     // rows are categories and columns are models
}

// Read reads a CSV file with one model a row and one category a column, the
// first row being names. Scores may carry a percent sign, which is passed over:
// numbers keep the unit of the file. A score that is empty or no number, such as
// "N/A", is not measured.
func Read(file string, c Columns) ([]search.Model, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := readRows(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if c.Transposed {
		rows = transpose(rows)
	}
	models, err := c.models(rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return models, nil
}

// readRows returns rows of equal length: the names, then one a model.
func readRows(r io.Reader) ([][]string, error) {
	reader := csv.NewReader(r)
	reader.TrimLeadingSpace = true
	rows, err := reader.ReadAll()
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return nil, fmt.Errorf("line %d: %w", broken.Line, broken.Err)
	}
	if err != nil {
		return nil, err
	}
	if len(rows) < 2 || len(rows[0]) < 2 {
		return nil, errors.New("no table: it takes a row of names, then a row a model, with a name and scores")
	}
	rows[0][0] = strings.TrimPrefix(rows[0][0], "\uFEFF")
	return rows, nil
}

func transpose(rows [][]string) [][]string {
	turned := make([][]string, len(rows[0]))
	for i := range turned {
		for _, row := range rows {
			turned[i] = append(turned[i], row[i])
		}
	}
	return turned
}

func (c Columns) models(rows [][]string) ([]search.Model, error) {
	names, err := c.nameColumn(rows[0])
	if err != nil {
		return nil, err
	}
	chosen, err := c.chosen(rows, names)
	if err != nil {
		return nil, err
	}
	var models []search.Model
	seen := map[string]bool{}
	for i, row := range rows[1:] {
		m := search.Model{Name: strings.TrimSpace(row[names]), Categories: map[string]search.Category{}}
		if m.Name == "" || seen[m.Name] {
			return nil, fmt.Errorf("row %d: model %q has no name of its own", i+2, m.Name)
		}
		seen[m.Name] = true
		for _, k := range chosen {
			if v, ok := score(row[k]); ok {
				m.Categories[rows[0][k]] = search.Category{Mean: v}
			}
		}
		models = append(models, m)
	}
	return models, nil
}

// nameColumn is the column with the models' names.
func (c Columns) nameColumn(header []string) (int, error) {
	if c.Model != "" {
		if i := slices.Index(header, c.Model); i >= 0 {
			return i, nil
		}
		return 0, usage.Errorf("no column is named %q; there are %s", c.Model, strings.Join(header, ", "))
	}
	return max(0, slices.IndexFunc(header, func(name string) bool { return strings.EqualFold(name, "model") })), nil
}

// chosen are the columns of the categories.
func (c Columns) chosen(rows [][]string, names int) ([]int, error) {
	var all []int
	for k := range rows[0] {
		numbers := func(row []string) bool { _, ok := score(row[k]); return ok }
		if k != names && slices.ContainsFunc(rows[1:], numbers) {
			all = append(all, k)
		}
	}
	if len(c.Categories) == 0 {
		return all, nil
	}
	var some []int
	for _, pattern := range c.Categories {
		found := false
		for _, k := range all {
			match, err := path.Match(pattern, rows[0][k])
			if err != nil {
				return nil, usage.Errorf("category %q: %s", pattern, err)
			}
			if found = found || match; match && !slices.Contains(some, k) {
				some = append(some, k)
			}
		}
		if !found {
			return nil, usage.Errorf("no column with scores is named %q", pattern)
		}
	}
	return some, nil
}

func score(cell string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(cell), "%"), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
