package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// command is the user's own metric: a program that gets {"item":..,"answer":..} as
// JSON on its standard input and prints the score, a number from 0 to 1. The
// settings are a CommandRule in Item.Rule, which package benchmarks puts there; a
// file of items cannot name a program.
//
// Programs run with the rights of soup, without a shell unless one is named, each
// in a process group that is ended at the time limit. One that fails, is too slow or
// prints anything else makes its item failed, not wrong.
type command struct{}

// CommandRule says what scores an answer.
type CommandRule struct {
	Command []string `json:"command"`           // program and arguments
	Timeout string   `json:"timeout,omitempty"` // of one answer, such as "30s"; default 10s
}

const (
	commandTimeout = 10 * time.Second
	commandOutput  = 64 << 10 // bytes of standard output; more ends the program
	commandErrors  = 300      // bytes of standard error that a message quotes
)

// fallible is a Metric that may be unable to score an answer.
type fallible interface {
	TryScore(ctx context.Context, it Item, answer string) (float64, error)
}

func (command) Validate(it Item) error {
	_, _, err := it.commandRule()
	return err
}

func (it Item) commandRule() (rule CommandRule, timeout time.Duration, err error) {
	if err := it.readRule(&rule); err != nil {
		return rule, 0, err
	}
	timeout = commandTimeout
	if len(rule.Command) == 0 || rule.Command[0] == "" {
		return rule, 0, errors.New("no program is named: give it in the study or on the command line, not in the file of items")
	}
	if rule.Timeout != "" {
		if timeout, err = time.ParseDuration(rule.Timeout); err != nil || timeout <= 0 {
			return rule, 0, fmt.Errorf("rule: timeout %q is no duration such as 30s", rule.Timeout)
		}
	}
	return rule, timeout, nil
}

func (command) Ask(it Item) Question { return Question{Request: it.Request()} }

// Score is TryScore with 0 for a failure; judge uses TryScore.
func (c command) Score(it Item, answer string) float64 {
	score, err := c.TryScore(context.Background(), it, answer)
	if err != nil {
		return 0
	}
	return score
}

// TryScore implements fallible.
func (command) TryScore(ctx context.Context, it Item, answer string) (float64, error) {
	rule, timeout, err := it.commandRule()
	if err != nil {
		return 0, err
	}
	input, err := json.Marshal(map[string]any{"item": it, "answer": answer})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stdout, stderr := &bounded{limit: commandOutput, full: cancel}, &tail{limit: commandErrors}
	cmd := exec.CommandContext(ctx, rule.Command[0], rule.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), stdout, stderr
	cmd.WaitDelay = time.Second // for what it started and left behind with its output open
	ownGroup(cmd)
	err = cmd.Run()
	switch {
	case stdout.over:
		return 0, fmt.Errorf("%s printed more than %d bytes", rule.Command[0], commandOutput)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 0, fmt.Errorf("%s gave no score in %v", rule.Command[0], timeout) // no timeout of the server's
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return 0, fmt.Errorf("%s: %w %s", rule.Command[0], err, stderr.text)
	}
	return parseScore(rule.Command[0], stdout.kept.String())
}

func parseScore(program, printed string) (float64, error) {
	score, err := strconv.ParseFloat(strings.TrimSpace(printed), 64)
	if err != nil || math.IsNaN(score) || score < 0 || score > 1 {
		return 0, fmt.Errorf("%s printed %.40q, not a number from 0 to 1", program, printed)
	}
	return score, nil
}

// bounded keeps output up to a limit, and says when there is more. The buffer is
// not embedded: its ReadFrom would take any amount.
type bounded struct {
	kept  bytes.Buffer
	limit int
	over  bool
	full  func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > b.limit {
		b.over = true
		b.full()
		return 0, errors.New("too much output")
	}
	return b.kept.Write(p)
}

// tail keeps the end of an output.
type tail struct {
	limit int
	text  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-t.limit):]
	return len(p), nil
}
