package eval

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RampOptions say how Ramp works. The zero value is usable.
type RampOptions struct {
	Most    int           // requests at a time; default 64
	Gain    float64       // least share by which twice the requests must be faster; default 0.1
	Sample  int           // items that are asked, over and over; default 16
	Timeout time.Duration // of an item, as in Options; default none
}

const (
	defaultMost   = 64
	defaultGain   = 0.1
	defaultSample = 16
	warmParallel  = 2
)

// RampStep is what Ramp measured with one number of requests at a time.
type RampStep struct {
	Parallel int     `json:"parallel"`
	Items    int     `json:"items"`
	Seconds  float64 `json:"seconds"`
	PerS     float64 `json:"per_s"`           // items a second
	Failed   int     `json:"failed"`          // items without an answer
	Error    string  `json:"error,omitempty"` // of the first of them
}

// Ramp finds how many requests at a time a server with a model loaded answers
// fastest: 1, 2, 4, ... until twice as many are less than Gain faster, or an item
// is not answered. The items are the first of those given, each number of
// requests gets at least two rounds of its size, and all have been asked once
// before the clock runs, so that prompts are as much in the server's cache at the
// first step as at the last. Answers are thrown away: no score depends on them.
//
// Its result is for Options.Parallel. A Batcher needs none: the result is 1, with
// no steps. Without any answer at all, the error of the first item is Ramp's.
func Ramp(ctx context.Context, s Server, items []Item, o RampOptions) (parallel int, steps []RampStep, err error) {
	if _, ok := s.(Batcher); ok {
		return 1, nil, nil
	}
	o = o.withDefaults()
	if err := checkItems(items); err != nil {
		return 0, nil, err
	}
	if len(items) == 0 {
		return 0, nil, errors.New("ramp: no items")
	}
	sample := make([]Question, min(o.Sample, len(items)))
	for i := range sample {
		sample[i] = metrics[items[i].Metric].Ask(items[i])
	}
	if step := rampStep(ctx, s, sample, len(sample), warmParallel, o.Timeout); step.Failed == len(sample) {
		return 0, nil, errors.Join(ctx.Err(), fmt.Errorf("ramp: %s", step.Error))
	}
	parallel, best := 1, 0.0
	for n := 1; n <= o.Most; n *= 2 {
		step := rampStep(ctx, s, sample, max(len(sample), 2*n), n, o.Timeout)
		if ctx.Err() != nil {
			return 0, nil, ctx.Err()
		}
		steps = append(steps, step)
		if n > 1 && (step.Failed > 0 || step.PerS < best*(1+o.Gain)) {
			break
		}
		parallel, best = n, step.PerS
	}
	return parallel, steps, nil
}

func (o RampOptions) withDefaults() RampOptions {
	if o.Most <= 0 {
		o.Most = defaultMost
	}
	if o.Gain <= 0 {
		o.Gain = defaultGain
	}
	if o.Sample <= 0 {
		o.Sample = defaultSample
	}
	return o
}

// rampStep asks count questions of the sample, some at a time.
func rampStep(ctx context.Context, s Server, sample []Question, count, parallel int, timeout time.Duration) RampStep {
	questions := make([]Question, count)
	for i := range questions {
		questions[i] = sample[i%len(sample)]
	}
	started := time.Now()
	answers := askEach(ctx, s, questions, Options{Parallel: parallel, Timeout: timeout})
	step := RampStep{Parallel: parallel, Items: count, Seconds: time.Since(started).Seconds()}
	for _, a := range answers {
		if a.Finish == FinishStop || a.Finish == FinishLength {
			continue
		}
		if step.Failed++; step.Error == "" && a.Err != nil {
			step.Error = oneLine(a.Err)
		}
	}
	if step.Seconds > 0 {
		step.PerS = float64(count-step.Failed) / step.Seconds
	}
	return step
}
