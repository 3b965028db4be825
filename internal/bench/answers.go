package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"soup/internal/usage"
	"soup/search"
)

// Asked is one question to Answers: a seed, and the weights of a soup, which need
// not sum to 1. No weights ask how many parents there are.
type Asked struct {
	Seed    uint64    `json:"seed"`
	Weights []float64 `json:"weights"`
}

// Answered is what Answers says of a soup: what a strategy would be told, and what
// it would not.
type Answered struct {
	Parents int     `json:"parents"`
	Score   float64 `json:"score"`  // on the seed's search items, in parts of 1
	Regret  float64 `json:"regret"` // true distance from the best soup, in points
}

// Answers reads questions, an object of JSON each, and answers them, a line each,
// until there are no more: so other programs search the same problem with the same
// items. The options must name one problem.
func Answers(ctx context.Context, o SearchOptions, r io.Reader, w io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	o.fill()
	problems, err := o.problems()
	if err != nil {
		return err
	}
	if len(problems) != 1 {
		return usage.Errorf("answers: %d problems; name one with --problems", len(problems))
	}
	worlds := map[uint64]world{}
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	for n := 1; ctx.Err() == nil; n++ {
		var q Asked
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("question %d: %w", n, err)
		}
		if _, ok := worlds[q.Seed]; !ok {
			worlds[q.Seed] = problems[0].world(q.Seed, o.Items)
		}
		a, err := worlds[q.Seed].answer(q.Weights)
		if err != nil {
			return fmt.Errorf("question %d: %w", n, err)
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w world) answer(weights []float64) (Answered, error) {
	a := Answered{Parents: len(w.space.Parents)}
	if len(weights) == 0 {
		return a, nil
	}
	p, err := w.space.Effective(search.Point{Weights: [][]float64{weights}})
	if err != nil {
		return a, err
	}
	a.Score, a.Regret = w.try(p).Score, 100*(w.best-w.truth(p))
	return a, nil
}
