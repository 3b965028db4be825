package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
)

const (
	moreRounds = 2 // for questions whose answers were lost, while the server is well
	mostAsked  = 6 // times that one question is asked until two answers agree
)

// askRounds asks every question, and again those whose answers were lost on the
// way while the server is well: a restart or a bad connection costs what was in
// flight some time and no item. Where the server is not well it leaves the
// errors in place.
func askRounds(ctx context.Context, s Server, questions []Question, o Options) []Answer {
	answers := askEach(ctx, s, questions, o)
	for range moreRounds {
		var lost []int
		var again []Question
		for i, a := range answers {
			if wasLost(a) {
				lost, again = append(lost, i), append(again, questions[i])
			}
		}
		if len(lost) == 0 || s.Health(ctx) != nil {
			break
		}
		for j, a := range askEach(ctx, s, again, o) {
			a.turn = math.MaxInt64 // of another round: after any loss
			answers[lost[j]] = a
		}
	}
	return answers
}

// wasLost says whether the answer, or a part of it, may come when the question
// is asked again.
func wasLost(a Answer) bool {
	if errors.Is(a.Err, ErrOutOfMemory) || errors.Is(a.Err, context.DeadlineExceeded) {
		return false
	}
	return errors.Is(a.Err, ErrUnreachable) || errors.Is(a.Err, ErrServer) || errors.Is(a.Err, ErrReply)
}

// beforeLoss returns the outcomes that were scored before the first answer was
// lost: whoever answered later may be another server, started with other
// weights. Of a Batcher's there are none.
func beforeLoss(outcomes []Outcome, answers []Answer) []Outcome {
	first := int64(math.MaxInt64)
	for _, a := range answers {
		if a.Err != nil {
			first = min(first, a.turn)
		}
	}
	var kept []Outcome
	for i, o := range outcomes {
		if o.Scored() && answers[i].turn < first && answers[i].turn > 0 {
			kept = append(kept, o)
		}
	}
	return kept
}

// askVerified asks until two answers agree: a reply whose bytes were changed on
// the way can be a good reply, to its syntax.
func askVerified(ctx context.Context, s Server, q Question, o Options) Answer {
	var heard []Answer
	var last Answer
	for range mostAsked {
		a := askOne(ctx, s, q, o.Timeout)
		last = a
		switch {
		case wasLost(a):
			continue
		case a.Err != nil:
			return a
		}
		for _, b := range heard {
			if agree(a, b, o.Agree) {
				return b
			}
		}
		heard = append(heard, a)
	}
	if len(heard) < 2 && last.Err != nil {
		return last
	}
	return failed(fmt.Errorf("%w: asked %d times, no two answers agree", ErrReply, mostAsked))
}

// agree compares what scores are made of.
func agree(a, b Answer, tolerance float64) bool {
	if a.Text != b.Text || a.Finish != b.Finish || len(a.Calls) != len(b.Calls) || len(a.Calls) > 0 && !reflect.DeepEqual(a.Calls, b.Calls) {
		return false
	}
	if len(a.Labels) != len(b.Labels) || (a.Reference == nil) != (b.Reference == nil) || len(a.Continuations) != len(b.Continuations) {
		return false
	}
	for i := range a.Labels {
		if !closeTo(a.Labels[i], b.Labels[i], tolerance) {
			return false
		}
	}
	for i, x := range a.Continuations {
		y := b.Continuations[i]
		if x.Tokens != y.Tokens || x.Greedy != y.Greedy || !closeTo(x.LogProb, y.LogProb, tolerance) {
			return false
		}
	}
	return a.Reference == nil || closeTo(*a.Reference, *b.Reference, tolerance)
}

func closeTo(a, b, tolerance float64) bool { return a == b || math.Abs(a-b) <= tolerance }
