package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestOrder: which number is the step, and what that makes of the order.
func TestOrder(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"step-10 step-2 step-1", "step-1:1 step-2:2 step-10:10"},
		{"run/checkpoint-1500 run/checkpoint-500/", "checkpoint-500:500 checkpoint-1500:1500"},
		{"iter_0002000 iter_0001000", "iter_0001000:1000 iter_0002000:2000"},
		{"Iteration-20 iteration-3", "iteration-3:3 Iteration-20:20"},
		{"global_step300 global_step30", "global_step30:30 global_step300:300"},
		// 8 and 4 are no steps, and neither is the epoch beside a step.
		{"llama-3-8b-step2000-tokens4B llama-3-8b-step900-tokens9B", "llama-3-8b-step900-tokens9B:900 llama-3-8b-step2000-tokens4B:2000"},
		{"epoch=1-step=500.gguf epoch=2-step=400.gguf", "epoch=2-step=400.gguf:400 epoch=1-step=500.gguf:500"},
		{"epoch-10 epoch-9", "epoch-9:9 epoch-10:10"},
		{"v2-epoch-3 v1-epoch-4", "v2-epoch-3:3 v1-epoch-4:4"},
		{"1000 200", "200:200 1000:1000"},
		{"m-1000.safetensors m-200.safetensors", "m-200.safetensors:200 m-1000.safetensors:1000"},
		{"run/step-20/hf run/step-3/hf", "step-3:3 step-20:20"},
		{"run/step-20/a/b run/step-3/a/b", "step-3:3 step-20:20"},
		{"step-7", "step-7:7"},
	} {
		run, err := Order(strings.Fields(c.given))
		var got []string
		for _, m := range run {
			got = append(got, fmt.Sprintf("%s:%d", m.Name, m.Step))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s (%v)", c.given, got, c.want, err)
		}
	}
}

// TestOrderOfAnyOrder: the order in which checkpoints are given is no matter.
func TestOrderOfAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfNDistinct(rapid.Int64Range(0, 1e12), 2, 50, rapid.ID).Draw(rt, "steps")
		form := rapid.SampledFrom([]string{"run/step-%d", "checkpoint-%d/hf", "iter_%012d", "model-7b-step%d-x.gguf", "%d"}).Draw(rt, "form")
		var paths []string
		for _, n := range steps {
			paths = append(paths, fmt.Sprintf(form, n))
		}
		run, err := Order(paths)
		if err != nil {
			rt.Fatal(err)
		}
		slices.Sort(steps)
		for i, m := range run {
			if m.Step != steps[i] || m.Path != fmt.Sprintf(form, steps[i]) {
				rt.Fatalf("%d of %v is %+v", i, steps, m)
			}
		}
	})
}

func TestOrderRefuses(t *testing.T) {
	dir := t.TempDir()
	state := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			if err := os.WriteFile(filepath.Join(path, "trainer_state.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{[]string{"step-1", "x/step-01"}, "step-1 and x/step-01 are both of step 1"},
		{[]string{"epoch-1", "final"}, "final: no number in the name"},
		{[]string{"step-1", "final"}, "final: no step in the name, and no trainer_state.json"},
		{[]string{"alpha"}, "alpha: no step in the name"},
		{[]string{"step-99999999999999999999", "step-1"}, "step-99999999999999999999: no step in the name"},
		{[]string{state("a", `{"global_step":`)}, "a/trainer_state.json: broken JSON"},
		{[]string{state("b", `{"epoch":1}`)}, "b/trainer_state.json: no global_step"},
	} {
		if _, err := Order(c.paths); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.paths, err, c.want)
		}
	}
	// The last of a run, as transformers saves it, beside numbered ones.
	run, err := Order([]string{state("final", `{"global_step":700}`), "checkpoint-500", "checkpoint-900"})
	if err != nil || !slices.Equal([]int64{run[0].Step, run[1].Step, run[2].Step}, []int64{500, 700, 900}) {
		t.Errorf("%v, %v", run, err)
	}
}
