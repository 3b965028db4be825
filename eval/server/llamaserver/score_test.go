package llamaserver

import (
	"errors"
	"math"
	"net/http"
	"testing"

	"pgregory.net/rapid"

	"soup/eval"
)

func nan() float64 { return math.NaN() }

// truth are the fake's own log-probabilities after a text.
func (f *fake) truth(text string) map[int32]float64 {
	all := map[int32]float64{}
	for _, c := range ranked(f.logits([]byte(text))) {
		all[c.ID] = float64(c.LogProb)
	}
	return all
}

// Labels of every rank have their exact score, down to 80 nats behind the first.
func TestLabels(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	mustLoad(t, s, weightsFile(t, "one"))
	rapid.Check(t, func(rt *rapid.T) {
		prompt := rapid.StringMatching(`[a-z]{1,12}`).Draw(rt, "prompt")
		labels := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z]`), 2, 8, rapid.ID).Draw(rt, "labels")
		got, err := s.ScoreLabels(t.Context(), eval.Request{Raw: prompt}, labels)
		if err != nil {
			rt.Fatal(err)
		}
		truth := f.truth(prompt)
		best := math.Inf(-1)
		for _, v := range truth {
			best = math.Max(best, v)
		}
		for i, label := range labels {
			want := math.Max(truth[int32(label[0])], best-deepest)
			if math.Abs(got[i]-want) > 1e-5 {
				rt.Errorf("%q: %g, want %g", label, got[i], want)
			}
		}
	})
}

func TestLabelsRefuse(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	if _, err := s.ScoreLabels(t.Context(), user("hi"), []string{"A"}); err == nil {
		t.Error("no model is no error")
	}
	mustLoad(t, s, weightsFile(t, "one"))
	for _, labels := range [][]string{nil, {"A", "AB"}, {""}} {
		if _, err := s.ScoreLabels(t.Context(), user("hi"), labels); err == nil {
			t.Errorf("labels %q are no error", labels)
		}
	}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/completion" {
			_, _ = w.Write([]byte(`{"content":"x","stop_type":"limit","completion_probabilities":[{"top_logprobs":[],"top_probs":[]}]}`))
		}
		return r.URL.Path == "/completion"
	}
	if _, err := s.ScoreLabels(t.Context(), user("hi"), []string{"A", "B"}); !errors.Is(err, eval.ErrReply) {
		t.Errorf("no probabilities: %v", err)
	}
	now, err := s.session()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := now.behind(t.Context(), "x", 1, []int32{2}); !errors.Is(err, eval.ErrReply) {
		t.Errorf("no probability of the likeliest: %v", err)
	}
}

// Texts have the sum over their tokens; what begins alike is asked once.
func TestContinuations(t *testing.T) {
	f := newFake(t)
	s := f.started(t)
	mustLoad(t, s, weightsFile(t, "one"))
	const prompt = "capital?"
	texts := []string{" Paris", " Pale", " Rome", "x", " Paris"}
	before := len(f.asked)
	got, err := s.ScoreContinuations(t.Context(), eval.Request{Raw: prompt}, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		want := eval.Continuation{Tokens: len(text), Greedy: true}
		for k := range text {
			row := ranked(f.logits([]byte(prompt + text[:k])))
			want.Greedy = want.Greedy && row[0].ID == int32(text[k])
			want.LogProb += math.Max(f.truth(prompt + text[:k])[int32(text[k])], float64(row[0].LogProb)-deepest)
		}
		if math.Abs(got[i].LogProb-want.LogProb) > 1e-4 || got[i].Tokens != want.Tokens || got[i].Greedy != want.Greedy {
			t.Errorf("%q: %+v, want %+v", text, got[i], want)
		}
	}
	places := 1 + 1 + 4 + 3 + 2 // "", " ", P..., al..., R...: less the last tokens
	if asked := len(f.asked) - before; asked > 2*places {
		t.Errorf("%d requests for %d places", asked, places)
	}
	likely, next := "", int32(math.MaxInt32)
	for next >= 0x80 { // the fake's tokens are bytes
		likely += "x"
		next = ranked(f.logits([]byte(likely)))[0].ID
	}
	if got, err := s.ScoreContinuations(t.Context(), eval.Request{Raw: likely}, []string{string(next)}); err != nil || !got[0].Greedy {
		t.Errorf("the likeliest token: %+v, %v", got, err)
	}
	if _, err := s.ScoreContinuations(t.Context(), eval.Request{Raw: prompt}, []string{""}); err == nil {
		t.Error("an empty text is no error")
	}
}
