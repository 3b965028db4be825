package single

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"github.com/olekukonko/tablewriter"

	"soup/internal/usage"
	"soup/merge"
)

// measure reads all weights: how the parents lie to one another, and what is not
// finite in them. Parents with such values are left out of the geometry, and the
// others measured again. The geometry is nil where nothing can be measured.
func measure(ctx context.Context, parents []*merge.Checkpoint, base *merge.Checkpoint, spec merge.GroupSpec) (*merge.Geometry, merge.Findings, error) {
	groups, err := groupsOf(parents[0], spec)
	if err != nil {
		return nil, nil, err
	}
	var broken merge.Findings
	for len(parents) > 0 {
		g, err := merge.Measure(ctx, parents, base, groups)
		if err != nil {
			return nil, nil, err
		}
		found := g.Findings()
		rest := without(parents, found, "not-finite")
		if len(rest) == len(parents) {
			if found = append(broken, found...); whole(g) {
				return &g, found, nil
			}
			return nil, found, nil
		}
		broken, parents = append(broken, found...), rest
	}
	return nil, broken, nil
}

// without leaves out the parents that have a finding.
func without(parents []*merge.Checkpoint, found merge.Findings, code string) []*merge.Checkpoint {
	return slices.DeleteFunc(slices.Clone(parents), func(p *merge.Checkpoint) bool {
		return slices.ContainsFunc(found, func(f merge.Finding) bool { return f.Code == code && f.Parent == p.Path() })
	})
}

// whole says whether every length is a number.
func whole(g merge.Geometry) bool {
	sum := 0.0
	for _, v := range g.Groups {
		sum += v.Base
		for i := range g.Parents {
			sum += v.Lengths[i] + v.Moved[i]
		}
	}
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// scan looks for values that are not finite.
func scan(ctx context.Context, parents []*merge.Checkpoint) (found merge.Findings, err error) {
	for _, p := range parents {
		more, err := merge.Scan(ctx, p)
		if err != nil {
			return found, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// groupsOf groups a checkpoint's tensors.
func groupsOf(like *merge.Checkpoint, spec merge.GroupSpec) (merge.Grouping, error) {
	var names []string
	for _, t := range like.Tensors() {
		names = append(names, t.Name)
	}
	g, err := spec.Group(names)
	if err != nil {
		return g, &usage.Error{Message: "--groups: " + trimGroups(err), Advice: hint(err)}
	}
	return g, nil
}

// spoiling are the findings about one parent that speak for leaving it out.
var spoiling = []string{"not-finite", "other-origin", "scaled", "outlier", "other-layers", "permuted-layers", "permuted-rows", "near-duplicate", "identical-parents"}

// Suggestion is a parent to leave out, and why. Nothing is left out unless the
// user does it.
type Suggestion struct {
	Parent string `json:"parent"`
	Code   string `json:"code"` // of the finding
	Reason string `json:"reason"`
}

// suggest names each parent once, with its first reason. One of the parents
// always stays.
func suggest(parents []string, found merge.Findings) []Suggestion {
	list := []Suggestion{}
	for _, f := range found {
		named := func(s Suggestion) bool { return s.Parent == f.Parent }
		if slices.Contains(parents, f.Parent) && slices.Contains(spoiling, f.Code) && !slices.ContainsFunc(list, named) && len(list) < len(parents)-1 {
			list = append(list, Suggestion{f.Parent, f.Code, f.Message})
		}
	}
	return list
}

// writeGeometry prints how far each parent went from the base, and the cosines of
// the task vectors where they fit on a line.
func writeGeometry(w io.Writer, g merge.Geometry) error {
	v := g.Groups[0]
	table := tablewriter.NewTable(w)
	from := "from the base"
	if g.Base == "" {
		from = "from the mean"
	}
	header := []any{"", "parent", from}
	matrix := len(g.Parents) <= 8
	for i := range g.Parents {
		if matrix {
			header = append(header, i+1)
		}
	}
	if !matrix {
		header = append(header, "most alike")
	}
	table.Header(header...)
	for i, p := range g.Parents {
		row := []any{i + 1, filepath.Base(p), percent(v.Moved[i], v.Base)}
		if matrix {
			for j := range g.Parents {
				row = append(row, fmt.Sprintf("%.2f", v.Cosines[i][j]))
			}
		} else {
			row = append(row, mostAlike(g, v, i))
		}
		if err := table.Append(row...); err != nil {
			return err
		}
	}
	return table.Render()
}

// percent is a length as a share of another.
func percent(part, of float64) string {
	if of == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f %%", 100*part/of)
}

// mostAlike names the parent with the highest cosine.
func mostAlike(g merge.Geometry, v merge.GroupVector, i int) string {
	best := -1
	for j := range g.Parents {
		if j != i && (best < 0 || v.Cosines[i][j] > v.Cosines[i][best]) {
			best = j
		}
	}
	return fmt.Sprintf("%s (%.2f)", filepath.Base(g.Parents[best]), v.Cosines[i][best])
}
