package selftest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"soup/eval"
)

// swap exchanges the weights, A, B, A, and looks whether those that were given
// are those that answer.
func (t *trial) swap(ctx context.Context) error {
	const name = "swap"
	before, err := t.say(ctx, eval.Request{Raw: raw})
	if err != nil {
		t.note(name, Fail, oneLine(err), nil)
		return nil
	}
	b, toB, between, err := t.exchange(ctx, t.b)
	if err != nil {
		t.note(name, Fail, oneLine(err), nil)
		return errEnd
	}
	again, toA, after, err := t.exchange(ctx, t.a)
	if err != nil {
		t.note(name, Fail, oneLine(err), nil)
		return errEnd
	}
	values := map[string]float64{"seconds": toA, "other_seconds": toB}
	tolerance := max(4*t.widest, 1e-6)
	switch {
	case b == t.loaded:
		t.note(name, Fail, "stale weights: other weights have the same version, "+string(b), values)
	case between.near(before, t.widest) && len(before.labels) > 0:
		t.note(name, Fail, "stale weights: other weights have another version, and answer as before", values)
	case again != t.loaded:
		t.note(name, Fail, fmt.Sprintf("the same weights had version %s and have %s: a study would score them twice, and cannot tell stale ones", t.loaded, again), values)
	case !after.near(before, tolerance):
		t.note(name, Fail, "back at the first weights, the answer is another", values)
	default:
		t.note(name, OK, fmt.Sprintf("%.2f s and %.2f s; versions and answers are those of the weights", toB, toA), values)
	}
	return nil
}

// exchange loads a model and asks it.
func (t *trial) exchange(ctx context.Context, path string) (eval.Version, float64, said, error) {
	started := time.Now()
	version, err := t.server.Load(ctx, eval.Model{Path: path})
	seconds := time.Since(started).Seconds()
	if err != nil {
		return "", seconds, said{}, err
	}
	answer, err := t.say(ctx, eval.Request{Raw: raw})
	return version, seconds, answer, err
}

// rampMost keeps the test short; a study's own ramp goes on.
const rampMost = 16

// speed finds the number of requests at a time.
func (t *trial) speed(ctx context.Context) error {
	const name = "speed"
	if _, ok := t.server.(eval.Batcher); ok {
		t.note(name, OK, "questions are answered in batches of soup's own", nil)
		return nil
	}
	var items []eval.Item
	for i := range 16 {
		items = append(items, eval.Item{
			ID: fmt.Sprint(i), Category: "sum", Metric: "number", Answer: fmt.Sprint(2*i + 1), MaxTokens: 16,
			Prompt: fmt.Sprintf("What is %d + %d?", i, i+1),
		})
	}
	parallel, steps, err := eval.Ramp(ctx, t.server, items, eval.RampOptions{Most: rampMost, Timeout: t.options.Server.Timeout})
	if err != nil {
		t.note(name, Fail, oneLine(err), nil)
		return nil
	}
	for _, s := range steps {
		if s.Parallel == parallel {
			t.note(name, OK, fmt.Sprintf("%.1f items/s with %d requests at a time", s.PerS, parallel), map[string]float64{"parallel": float64(parallel), "items_per_s": s.PerS})
		}
		if s.Failed > 0 {
			t.note(name, Warn, fmt.Sprintf("%d of %d items failed with %d requests at a time: %s", s.Failed, s.Items, s.Parallel, s.Error), nil)
		}
	}
	return nil
}

// positions is how many tokens the model was trained for; 0 if it does not say.
func positions(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return 0
	}
	var config struct {
		Positions int `json:"max_position_embeddings"`
	}
	_ = json.Unmarshal(text, &config) // soup check reads the file for mistakes
	return max(0, config.Positions)
}
