package single

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/olekukonko/tablewriter"
	"gonum.org/v1/gonum/stat"

	"soup/eval"
	"soup/internal/usage"
	"soup/merge"
	"soup/search"
)

// Perturbation says how a checkpoint scores with noise on its weights: where they
// lie in a flat place, hardly worse. See [merge.Perturb].
type Perturbation struct {
	Size  float64  `json:"size"`  // of the noise in each row of a matrix, relative to it; 0 is the checkpoint itself
	Draws int      `json:"draws"` // of the noise; what follows is their mean
	Mean  *float64 `json:"mean"`  // unweighted over categories; null if one has no score
	SD    *float64 `json:"sd"`    // of Mean between draws; null for one
	Soft  *float64 `json:"soft"`  // mean smooth score in nats, likewise; null if items lack one
}

// checkPerturb refuses sizes that are none, and checkpoints that it is not for.
func (o ScoreOptions) checkPerturb() error {
	for _, size := range o.Perturb {
		if !(size > 0 && size <= 10) {
			return usage.Errorf("--perturb: %v is not from 0 to 10; 0.1 is a tenth of each row", size)
		}
	}
	switch {
	case len(o.Perturb) == 0:
		return nil
	case o.Answers != "":
		return usage.Errorf("--perturb changes weights; it does not go with --answers")
	case o.Server.Kind != "" && o.Server.Kind != "embedded":
		return usage.Errorf("--perturb works with the embedded engine, not with server %s", o.Server.Kind)
	case o.Draws < 1:
		return usage.Errorf("--draws: %d is not 1 or more", o.Draws)
	}
	return nil
}

// perturbed scores noisy copies of a checkpoint that lies in a directory, one after
// the other. Copies are written into dir and removed. The noise is the same for
// all checkpoints with these tensors.
func (o ScoreOptions) perturbed(ctx context.Context, server eval.Server, items []eval.Item, path, dir string) (list []Perturbation, err error) {
	c, err := merge.Open(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, size := range o.Perturb {
		var draws []eval.Summary
		for draw := range o.Draws {
			random := func(tensor string) *rand.Rand { return search.Rand(o.Seed, "perturb "+tensor, draw) }
			outcomes, err := o.scoreNoisy(ctx, server, items, c, filepath.Join(dir, fmt.Sprintf("noisy-%v-%d", size, draw)), size, random)
			if err != nil {
				return nil, fmt.Errorf("--perturb %v: %w", size, err)
			}
			draws = append(draws, eval.Summarize(outcomes))
		}
		list = append(list, summarized(size, draws))
	}
	return list, nil
}

// scoreNoisy scores one copy.
func (o ScoreOptions) scoreNoisy(ctx context.Context, server eval.Server, items []eval.Item, c *merge.Checkpoint, out string, size float64, random func(string) *rand.Rand) (outcomes []eval.Outcome, err error) {
	stats, err := merge.Perturb(ctx, out, c, size, random)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(out)) }()
	if _, err := server.Load(ctx, eval.Model{Path: out, Digest: stats.SHA256}); err != nil {
		return nil, err
	}
	return o.answer(ctx, server, items)
}

// summarized is the mean over draws.
func summarized(size float64, draws []eval.Summary) Perturbation {
	p := Perturbation{Size: size, Draws: len(draws)}
	var means, softs []float64
	for _, d := range draws {
		if len(d.Unmeasured) == 0 && d.N > 0 {
			means = append(means, d.Mean)
		}
		if soft, ok := d.MeanSoft(nil); ok {
			softs = append(softs, soft)
		}
	}
	if len(means) == len(draws) {
		mean := stat.Mean(means, nil)
		p.Mean = &mean
		if len(means) > 1 {
			sd := stat.StdDev(means, nil)
			p.SD = &sd
		}
	}
	if len(softs) == len(draws) {
		soft := stat.Mean(softs, nil)
		p.Soft = &soft
	}
	return p
}

// writePerturbations prints how the score falls with the noise.
func writePerturbations(w io.Writer, list []Perturbation) error {
	if len(list) == 0 {
		return nil
	}
	table := tablewriter.NewTable(w)
	table.Header("noise", "score", "lost", "smooth", "lost", "draws")
	for _, p := range list {
		score, smooth := fallen(list[0].Mean, p.Mean, 100, 2), fallen(list[0].Soft, p.Soft, 1, 3)
		if p.SD != nil {
			score[0] += fmt.Sprintf(" (sd %.2f)", 100**p.SD)
		}
		if err := table.Append(strconv.FormatFloat(p.Size, 'g', -1, 64), score[0], score[1], smooth[0], smooth[1], strconv.Itoa(p.Draws)); err != nil {
			return err
		}
	}
	return table.Render()
}

// fallen is a value, and how far it lies below another one, times a factor and with
// so many decimals.
func fallen(from, to *float64, factor float64, decimals int) [2]string {
	unit := math.Pow10(decimals)
	text := func(x float64) string { // never -0
		return strconv.FormatFloat(math.Round(factor*x*unit)/unit+0, 'f', decimals, 64)
	}
	switch {
	case to == nil:
		return [2]string{"-", "-"}
	case from == nil || from == to:
		return [2]string{text(*to), "-"}
	}
	return [2]string{text(*to), text(*from - *to)}
}
