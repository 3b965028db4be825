package study

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"soup/eval"
	"soup/results"
)

// Budget bounds the search over all sessions: when a bound is reached, no strategy
// begins another candidate. Zero means unbounded. Baselines always run, and
// selection and test come after it.
type Budget struct {
	Trials int           `yaml:"trials"` // candidates scored, also such as were stopped early
	Items  int           `yaml:"items"`  // search items asked
	Tokens int           `yaml:"tokens"` // generated for search items, as far as the server counts them
	Time   time.Duration `yaml:"time"`   // of merging, swapping and answering
	Cost   float64       `yaml:"cost"`   // of that time, in the unit of Rate
	Rate   float64       `yaml:"rate"`   // what an hour of it costs
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (b *Budget) UnmarshalYAML(n ast.Node) error {
	type plain Budget
	if err := decode(n, (*plain)(b)); err != nil {
		return err
	}
	for _, bound := range []struct {
		key   string
		value float64
	}{
		{"trials", float64(b.Trials)},
		{"items", float64(b.Items)},
		{"tokens", float64(b.Tokens)},
		{"time", b.Time.Seconds()},
		{"cost", b.Cost},
		{"rate", b.Rate},
	} {
		if !(bound.value >= 0) {
			return mistake(at(n, bound.key), "budget: %s cannot be negative", bound.key)
		}
	}
	if b.Cost > 0 && b.Rate == 0 {
		return mistake(at(n, "cost"), "budget: cost needs rate, what an hour of scoring costs")
	}
	return nil
}

// hours is a cost as the time that it pays for, or 0.
func (b Budget) hours() time.Duration {
	if b.Cost == 0 {
		return 0
	}
	return time.Duration(b.Cost / b.Rate * float64(time.Hour))
}

// consumption is what trials took of a budget.
type consumption struct {
	trials, items, tokens int
	seconds               float64
}

// consumed is what the trials of this session took, replayed ones included: so a
// study that goes on stops where an unbroken one would have stopped.
func (s *session) consumed() (c consumption) {
	for _, t := range s.trials {
		switch t.State {
		case results.Complete, results.Pruned:
			c.trials++
			c.items += s.answered[t.Number]
			for _, n := range s.tokens[t.Number] {
				c.tokens += n
			}
			fallthrough
		case results.Failed:
			c.seconds += t.Merge + t.Swap + t.Eval
		}
	}
	return c
}

// budgetSpent says whether a bound of the study file is reached.
func (s *session) budgetSpent() bool {
	b, c := s.config.Budget, s.consumed()
	return b.Trials > 0 && c.trials >= b.Trials ||
		b.Items > 0 && c.items >= b.Items ||
		b.Tokens > 0 && c.tokens >= b.Tokens ||
		b.Time > 0 && c.seconds >= b.Time.Seconds() ||
		b.Cost > 0 && c.seconds >= b.hours().Seconds()
}

// String names the bounds.
func (b Budget) String() string {
	var bounds []string
	add := func(set bool, format string, value any) {
		if set {
			bounds = append(bounds, fmt.Sprintf(format, value))
		}
	}
	add(b.Trials > 0, "%d trials", b.Trials)
	add(b.Items > 0, "%d items", b.Items)
	add(b.Tokens > 0, "%d tokens", b.Tokens)
	add(b.Time > 0, "%s", b.Time)
	add(b.Cost > 0, "a cost of %.2f", b.Cost)
	return strings.Join(bounds, ", ")
}

// tokensEvent is written before the outcomes of a batch for which the server
// counted tokens. A batch that was cut off is counted again under the same item.
const tokensEvent = "tokens"

type counted struct {
	Trial  int    `json:"trial"`
	Item   string `json:"item"` // the first of the batch
	Tokens int    `json:"tokens"`
}

// countTokens notes what the server generated for a batch of search items.
func (s *session) countTokens(trial int, outcomes []eval.Outcome) error {
	c := counted{Trial: trial}
	for i, o := range outcomes {
		if i == 0 {
			c.Item = o.ID
		}
		c.Tokens += o.Tokens
	}
	if c.Tokens == 0 {
		return nil
	}
	return s.noteTokens(c)
}

func (s *session) noteTokens(c counted) error {
	s.mu.Lock()
	s.addTokens(c)
	s.mu.Unlock()
	return fatal(s.ledger.Event(tokensEvent, c))
}

func (s *session) addTokens(c counted) {
	if s.tokens[c.Trial] == nil {
		s.tokens[c.Trial] = map[string]int{}
	}
	s.tokens[c.Trial][c.Item] = c.Tokens
}

// readTokens reads what was counted before this session.
func (s *session) readTokens() error {
	events, err := s.ledger.Events(tokensEvent)
	if err != nil {
		return err
	}
	for _, e := range events {
		var c counted
		if err := json.Unmarshal(e.Detail, &c); err != nil {
			return fmt.Errorf("event %d: %w", e.Number, err)
		}
		s.addTokens(c)
	}
	return nil
}
