package analysis

import (
	"fmt"
	"io"
	"math"
	"path/filepath"

	"soup/results/plots"
)

// WriteSVG draws the matrix of Pearson's correlations.
func (a *Analysis) WriteSVG(w io.Writer) error {
	matrix := make([][]float64, len(a.Categories))
	for i, x := range a.Categories {
		matrix[i] = make([]float64, len(a.Categories))
		for j, y := range a.Categories {
			matrix[i][j] = 1
			if i == j {
				continue
			}
			matrix[i][j] = math.NaN()
			if c, _ := a.pair(x, y); c.Pearson.Value != nil {
				matrix[i][j] = *c.Pearson.Value
			}
		}
	}
	about := fmt.Sprintf("Pearson correlation over n = %d models; white: unknown", a.Models)
	return plots.WriteHeatmap(w, "Categories of "+filepath.Base(a.Table), about, a.Categories, matrix)
}
