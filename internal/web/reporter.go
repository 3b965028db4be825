package web

import (
	"context"

	"soup/internal/follow"
	"soup/internal/study"
	"soup/results"
)

// written is the report of a finished study.
type written struct {
	results.Report
	err error
}

// report is nil if there is none.
func (w *written) report() *results.Report {
	if w == nil || w.err != nil {
		return nil
	}
	return &w.Report
}

// reporter has the report of a finished study made, once, beside everything
// else: that reads more than a page may wait for. Its zero value has none.
type reporter struct {
	making  chan *written // nil while none is asked for
	cancel  context.CancelFunc
	has     *written
	stopped bool
}

// of is the report of a study, nil while there is none, and whether it is new. A
// study that goes on has none.
func (r *reporter) of(ctx context.Context, dir string, s *follow.Study) (report *written, news bool) {
	if s.Now() != study.FinishedPhase {
		r.drop()
		return nil, false
	}
	if r.making == nil && !r.stopped {
		r.making = make(chan *written, 1)
		ctx, r.cancel = context.WithCancel(ctx)
		go func() { r.making <- write(ctx, dir) }()
	}
	select {
	case made := <-r.making:
		r.has, news = made, true
	default:
	}
	return r.has, news
}

// drop ends the making of a report and waits for that; one that is made is
// forgotten.
func (r *reporter) drop() {
	if r.making != nil && r.has == nil {
		r.cancel()
		<-r.making
	}
	if r.cancel != nil {
		r.cancel()
	}
	r.making, r.has = nil, nil
}

// stop ends the making of a report and of all others.
func (r *reporter) stop() {
	r.stopped = true
	if r.has == nil {
		r.drop()
	}
}

func write(ctx context.Context, dir string) *written {
	report, err := study.BuildReport(ctx, dir)
	return &written{report, err}
}
