package eval

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// State says whether an item was measured.
type State string

// The states of an item.
const (
	StateOK        State = "ok"        // scored
	StateTruncated State = "truncated" // scored, but the answer was cut off at the token limit
	StateFailed    State = "failed"    // the server gave no answer
	StateTimeout   State = "timeout"   // the server gave none in time
	StateMissing   State = "missing"   // the file of recorded answers has none
)

// Outcome is what became of one item.
type Outcome struct {
	ID       string        `json:"id"`
	Category string        `json:"category"`
	Cluster  string        `json:"cluster,omitempty"` // see Item; unique over benchmarks
	State    State         `json:"state"`
	Score    float64       `json:"score"`            // 0 to 1; only if Scored, else null in JSON
	Soft     *float64      `json:"soft,omitempty"`   // smooth score in nats, higher is better: see Metric; nil if there is none
	Labels   *LabelScores  `json:"labels,omitempty"` // nil unless the server scored the labels of a question
	Answer   string        `json:"answer"`
	Finish   Finish        `json:"finish,omitempty"`
	Latency  time.Duration `json:"-"`
	Tokens   int           `json:"-"`                 // generated, as Reply.Tokens; 0 where the server does not count them
	Error    string        `json:"error,omitempty"`   // one line; why there is no answer, or no smooth score
	Failure  string        `json:"failure,omitempty"` // kind of the error that left it without an answer: see FailureKind
}

// LabelScores are the log-probabilities of a question's labels, in nats and in the
// order of the labels, and the place of the right one.
type LabelScores struct {
	LogProbs []float64 `json:"logprobs"`
	Right    int       `json:"right"`
}

// Scored reports whether the item was measured: only then has Score a meaning.
func (o Outcome) Scored() bool { return o.State == StateOK || o.State == StateTruncated }

// MarshalJSON writes the score of an item that was not measured as null.
func (o Outcome) MarshalJSON() ([]byte, error) {
	type plain Outcome
	var score *float64
	if o.Scored() {
		score = &o.Score
	}
	return json.Marshal(struct {
		plain
		Score *float64 `json:"score"`
	}{plain(o), score})
}

// unscored is the outcome of an item that has no score (yet).
func unscored(it Item, state State) Outcome {
	o := Outcome{ID: it.ID, Category: it.Category, Cluster: it.Cluster, State: state}
	if o.Cluster != "" && it.Benchmark != "" {
		o.Cluster = it.Benchmark + "/" + it.Cluster // clusters of two benchmarks are two
	}
	return o
}

// judge scores the answer to an item.
func judge(ctx context.Context, it Item, metric Metric, q Question, a Answer) Outcome {
	o := unscored(it, StateOK)
	o.Answer, o.Finish, o.Latency, o.Tokens = a.scored(), a.Finish, a.Latency, a.Tokens
	switch a.Finish {
	case FinishStop:
	case FinishLength:
		o.State = StateTruncated
	default:
		return o.fail(a.Err)
	}
	if a.Err != nil {
		o.Error = oneLine(a.Err)
	}
	if len(q.Continuations) > 0 {
		return o.judgeContinuations(it, a.Continuations)
	}
	if len(q.Labels) > 0 && len(a.Labels) > 0 {
		return o.judgeLabels(it, q.Labels, a.Labels)
	}
	o.Soft = finite(a.Reference)
	scorer, may := metric.(fallible)
	if !may {
		o.Score = metric.Score(it, o.Answer)
		return o
	}
	score, err := scorer.TryScore(ctx, it, o.Answer)
	if err != nil { // the answer stands, its score is not known
		o.State, o.Error = StateFailed, oneLine(err)
		return o
	}
	o.Score = score
	return o
}

// judgeAll judges answers in order; where scoring takes another program, several
// at a time.
func judgeAll(n int, metric func(i int) Metric, judge func(i int) Outcome) []Outcome {
	outcomes := make([]Outcome, n)
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i := range n {
		if _, slow := metric(i).(fallible); !slow {
			outcomes[i] = judge(i)
			continue
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			outcomes[i] = judge(i)
		})
	}
	running.Wait()
	return outcomes
}

func (o Outcome) fail(err error) Outcome {
	o.State, o.Finish, o.Answer = StateFailed, FinishError, ""
	if err == nil {
		err = errors.New("the server gave no answer and no reason")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		o.State = StateTimeout
	}
	o.Error, o.Failure = oneLine(err), FailureKind(err)
	return o
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// judgeLabels chooses the likeliest label, the first of equals.
func (o Outcome) judgeLabels(it Item, labels []string, logprobs []float64) Outcome {
	if len(logprobs) != len(labels) || slices.ContainsFunc(logprobs, math.IsNaN) {
		return o.fail(errors.New("the server did not score every label"))
	}
	chosen, right, wrong := 0, math.Inf(-1), math.Inf(-1)
	for i, lp := range logprobs {
		if lp > logprobs[chosen] {
			chosen = i
		}
		if labels[i] == it.Answer {
			right = lp
		} else {
			wrong = max(wrong, lp)
		}
	}
	margin := right - wrong
	if at := slices.Index(labels, it.Answer); at >= 0 && !slices.ContainsFunc(logprobs, func(lp float64) bool { return math.IsInf(lp, 0) }) {
		o.Labels = &LabelScores{LogProbs: slices.Clone(logprobs), Right: at}
	}
	o.Answer, o.Score, o.Soft = labels[chosen], oneIf(labels[chosen] == it.Answer), finite(&margin)
	return o
}

// finite drops a number that no file could hold.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}
