package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"soup/eval"
)

// longestWait is the most that a server's Retry-After is followed.
const longestWait = time.Minute

// Retry calls try until it has no error, an error that no repetition helps, or
// Options.Attempts are used up; the pauses between grow and are random, and are
// at least what the server asks for. Each call gets Options.Timeout, but at most
// half of what is left until the context's deadline, so that there is time for
// another; one that used its time up is tried again.
//
// While the server is down, see Options.Trip, a first call waits for at most a
// quarter of a second and fails with eval.ErrUnreachable.
func (c *Client) Retry(ctx context.Context, try func(context.Context) error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = c.options.Pause, longestPause, 2
	for attempt := 1; ; attempt++ {
		tried, err := c.attempt(ctx, attempt, try)
		if err == nil || ctx.Err() != nil || attempt == c.options.Attempts || !MayRetry(err) || !tried && attempt == 1 {
			return err
		}
		pause := max(pauses.NextBackOff(), wanted(err))
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
			return err // which says more than that the time is over
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return c.Explain(ctx, ctx.Err())
		case <-timer.C:
		}
	}
}

// wanted is the pause that the server asks for.
func wanted(err error) time.Duration {
	if r := (*Refusal)(nil); errors.As(err, &r) {
		return min(r.After, longestWait)
	}
	return 0
}

// attempt calls try with the time that one attempt has, unless the breaker is
// open.
func (c *Client) attempt(ctx context.Context, number int, try func(context.Context) error) (tried bool, err error) {
	probe, err := c.breaker.enter(ctx)
	if err != nil {
		return false, c.Explain(ctx, err)
	}
	limit := c.options.Timeout
	if end, ok := ctx.Deadline(); ok && number < c.options.Attempts {
		limit = min(limit, time.Until(end)/2)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = try(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s at %s: %w: no reply within %s", c.name, c.base, eval.ErrUnreachable, limit.Round(time.Millisecond))
	}
	c.breaker.done(probe, err)
	return true, err
}
