//go:build delivered

package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/serve"
)

// TestDelivered runs whole studies of real checkpoints, once a seed and budget, and
// prints the test score, in points, of what each delivers: median, quartiles, least
// and most. SOUP_STUDY names the study file (default: the garden's uneven parents),
// SOUP_STRATEGY the strategy (auto), SOUP_BUDGETS its budgets (15,30), SOUP_SEEDS how
// many seeds (10).
func TestDelivered(t *testing.T) {
	setting := func(name, other string) string {
		if value := os.Getenv(name); value != "" {
			return value
		}
		return other
	}
	file, strategy := setting("SOUP_STUDY", filepath.Join(garden, "uneven.yaml")), setting("SOUP_STRATEGY", "auto")
	seeds, err := strconv.Atoi(setting("SOUP_SEEDS", "10"))
	if err != nil || seeds < 1 {
		t.Fatalf("SOUP_SEEDS: %v", err)
	}
	answers := memory{}
	for _, budget := range strings.Split(setting("SOUP_BUDGETS", "15,30"), ",") {
		var scores []float64
		for seed := range seeds {
			score, label, trials := deliver(t, file, strategy, budget, seed+1, answers)
			fmt.Printf("%s %s, seed %d: %.2f, %s, of %d trials\n", strategy, budget, seed+1, score, label, trials)
			scores = append(scores, score)
		}
		slices.Sort(scores)
		at := func(p float64) float64 { return stat.Quantile(p, stat.LinInterp, scores, nil) }
		fmt.Printf("%s %s: median %.2f, quartiles %.2f and %.2f, %.2f to %.2f\n", strategy, budget, at(0.5), at(0.25), at(0.75), scores[0], scores[seeds-1])
	}
}

// deliver runs the study of a file with another strategy and seed, and returns the
// winner's score on test and its label.
func deliver(t *testing.T, file, strategy, budget string, seed int, answers memory) (score float64, label string, trials int) {
	t.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(budget)
	if err != nil {
		t.Fatal(err)
	}
	c.Seed, c.Strategies = uint64(seed), []StrategySpec{{Name: strategy, Options: map[string]any{"budget": n}}}
	dir := filepath.Join(t.TempDir(), "study")
	start := func(ctx context.Context, o serve.Options) (eval.Server, error) {
		s, err := serve.Open(ctx, o)
		if err != nil {
			return nil, err
		}
		return &remembering{Engine: s.(*embedded.Engine), memory: answers}, nil
	}
	if err := Run(t.Context(), c, RunOptions{Dir: dir, start: start}); err != nil {
		t.Fatal(err)
	}
	r, err := BuildReport(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range r.Trials {
		if trial.Number == r.Winner.Trial {
			return 100 * *trial.Scores.Test.Mean, trial.Label, len(r.Trials)
		}
	}
	t.Fatal("no winner")
	return 0, "", 0
}

// memory are the answers of the soups that were asked before, by the bytes of their
// weights and by question: studies that differ in their seeds ask much the same.
type memory map[eval.Version]map[string]eval.Answer

// remembering is the embedded engine, which loads weights only when something is asked
// that the memory does not know.
type remembering struct {
	*embedded.Engine
	memory  memory
	model   eval.Model
	version eval.Version // asked for
	loaded  eval.Version
}

func (r *remembering) Load(_ context.Context, m eval.Model) (eval.Version, error) {
	sum, err := fileSum(m.Path)
	if err != nil {
		return "", err
	}
	r.model, r.version = m, eval.Version(fmt.Sprintf("%x", sum[:8]))
	if r.memory[r.version] == nil {
		r.memory[r.version] = map[string]eval.Answer{}
	}
	return r.version, nil
}

func (r *remembering) Reload(ctx context.Context, m eval.Model) (eval.Version, error) {
	return r.Load(ctx, m)
}

func (r *remembering) Health(context.Context) error { return nil }

func (r *remembering) Check(q eval.Question) error {
	if err := r.need(context.Background()); err != nil {
		return err
	}
	return r.Engine.Check(q)
}

func (r *remembering) Tokens(ctx context.Context, text string, special bool) ([]int32, error) {
	if err := r.need(ctx); err != nil {
		return nil, err
	}
	return r.Engine.Tokens(ctx, text, special)
}

// need loads what was asked for.
func (r *remembering) need(ctx context.Context) error {
	if r.loaded == r.version {
		return nil
	}
	_, err := r.Engine.Load(ctx, r.model)
	if err == nil {
		r.loaded = r.version
	}
	return err
}

func (r *remembering) AnswerAll(ctx context.Context, questions []eval.Question) ([]eval.Answer, error) {
	known, keys := r.memory[r.version], make([]string, len(questions))
	var fresh []eval.Question
	var missing []string
	for i, q := range questions {
		keys[i] = fmt.Sprintf("%+v", q)
		if known[keys[i]].Finish == "" {
			fresh, missing = append(fresh, q), append(missing, keys[i])
		}
	}
	if len(fresh) > 0 {
		if err := r.ask(ctx, fresh, missing); err != nil {
			return nil, err
		}
	}
	var answers []eval.Answer
	for _, key := range keys {
		answers = append(answers, known[key])
	}
	return answers, nil
}

func (r *remembering) ask(ctx context.Context, questions []eval.Question, keys []string) error {
	if err := r.need(ctx); err != nil {
		return err
	}
	answers, err := r.Engine.AnswerAll(ctx, questions)
	for i, a := range answers {
		r.memory[r.version][keys[i]] = a
	}
	return err
}
