package servertest

import (
	"math"
	"testing"

	"soup/eval"
)

// tolerance of log-probabilities in nats: servers that batch move them by some
// thousandths.
const tolerance = 0.01

// continuations: sums of log-probabilities are proper, belong to their texts, and
// agree with the server's other powers as far as it has them.
func continuations(t *testing.T, s eval.Server, f Fixture) {
	scorer, ok := s.(eval.ContinuationScorer)
	if !ok {
		return
	}
	load(t, s, f.A)
	if _, err := scorer.ScoreContinuations(t.Context(), f.Questions[0].Request, nil); err == nil {
		t.Error("no continuations: no error")
	}
	for _, q := range f.Questions {
		said, err := s.Generate(t.Context(), q.Request)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{said.Text, said.Text + said.Text + "?"}
		given := score(t, scorer, q.Request, texts)
		if !given[0].Greedy || given[1].Greedy {
			t.Errorf("%q is what the model says: %+v", said.Text, given)
		}
		if turned := score(t, scorer, q.Request, []string{texts[1], texts[0]}); !near(turned[0], given[1]) || !near(turned[1], given[0]) {
			t.Errorf("continuations in another order: %+v, then %+v", given, turned)
		}
		withReference(t, s, q.Request, texts, given)
		inBatch(t, s, q.Request, texts, given)
		if len(q.Labels) > 0 {
			withLabels(t, s, q, score(t, scorer, q.Request, q.Labels))
		}
	}
}

func score(t *testing.T, s eval.ContinuationScorer, r eval.Request, texts []string) []eval.Continuation {
	t.Helper()
	given, err := s.ScoreContinuations(t.Context(), r, texts)
	if err != nil || len(given) != len(texts) {
		t.Fatalf("%d results for %d continuations, %v", len(given), len(texts), err)
	}
	for i, c := range given {
		if !(c.LogProb <= 0) || math.IsInf(c.LogProb, 0) || c.Tokens < 1 {
			t.Errorf("continuation %q: %+v", texts[i], c)
		}
	}
	return given
}

func near(a, b eval.Continuation) bool {
	return math.Abs(a.LogProb-b.LogProb) < tolerance && a.Tokens == b.Tokens && a.Greedy == b.Greedy
}

// withReference: the likelihood of a text with the end token is at most that
// without it, and nearly all of it where the model would have ended there too.
func withReference(t *testing.T, s eval.Server, r eval.Request, texts []string, given []eval.Continuation) {
	t.Helper()
	scorer, ok := s.(eval.ReferenceScorer)
	if !ok {
		return
	}
	for i, text := range texts {
		mean, err := scorer.ScoreReference(t.Context(), r, text)
		if err != nil {
			t.Fatal(err)
		}
		if whole := mean * float64(given[i].Tokens+1); whole > given[i].LogProb+tolerance {
			t.Errorf("%q: log-probability %g with the end token, %+v without", text, whole, given[i])
		}
	}
}

// withLabels: a label of one token is as likely as a label as it is as a text.
func withLabels(t *testing.T, s eval.Server, q eval.Question, given []eval.Continuation) {
	t.Helper()
	scorer, ok := s.(eval.LabelScorer)
	if !ok {
		return
	}
	labels, err := scorer.ScoreLabels(t.Context(), q.Request, q.Labels)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range given {
		if c.Tokens == 1 && math.Abs(c.LogProb-labels[i]) > tolerance {
			t.Errorf("label %q: log-probability %g, as a continuation %g", q.Labels[i], labels[i], c.LogProb)
		}
	}
}

// inBatch: a question with continuations gets their scores and no text.
func inBatch(t *testing.T, s eval.Server, r eval.Request, texts []string, given []eval.Continuation) {
	t.Helper()
	batcher, ok := s.(eval.Batcher)
	if !ok {
		return
	}
	a := ask(t, batcher, []eval.Question{{Request: r}, {Request: r, Continuations: texts}})[1]
	if a.Err != nil || a.Text != "" || a.Finish != eval.FinishStop || len(a.Continuations) != len(texts) {
		t.Errorf("in a batch: %+v", a)
		return
	}
	for i := range texts {
		if !near(a.Continuations[i], given[i]) {
			t.Errorf("%q: alone %+v, in a batch %+v", texts[i], given[i], a.Continuations[i])
		}
	}
}
