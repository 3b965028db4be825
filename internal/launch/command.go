package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Command is a program that is run to its end.
type Command struct {
	Name  string        // in messages
	Args  []string      // the program and its arguments
	Env   []string      // added to the environment, "KEY=value"
	Log   string        // file with what it prints; begun anew by each run
	Limit time.Duration // how long it may take; default 10 minutes
	Most  int64         // bytes that it may print; default 16 MiB
}

const (
	defaultLimit = 10 * time.Minute
	defaultMost  = 16 << 20
)

// Run runs the command and returns when it has ended. One that fails is an error
// with the last line that it printed. One that takes too long or prints too much
// is ended, with what it started; what a command that succeeds has started goes
// on, and may go on printing.
func (c Command) Run(ctx context.Context) error {
	if c.Limit <= 0 {
		c.Limit = defaultLimit
	}
	if c.Most <= 0 {
		c.Most = defaultMost
	}
	if err := os.MkdirAll(filepath.Dir(c.Log), 0o755); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	log, err := os.Create(c.Log)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	defer log.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit, fmt.Errorf("it did not end within %s", c.Limit))
	defer cancel()
	command := exec.Command(c.Args[0], c.Args[1:]...) // not CommandContext: its group is ended, not it alone
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), c.Env...)
	ownGroup(command)
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return c.wait(ctx, command, log, ended)
}

// wait returns when the command has ended, and sees to it that it does.
func (c Command) wait(ctx context.Context, command *exec.Cmd, log *os.File, ended <-chan error) error {
	for {
		var why error
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%s: %w%s", c.Name, err, lastLine(c.Log))
			}
			return nil
		case <-ctx.Done():
			why = context.Cause(ctx)
		case <-time.After(pause):
			if info, err := log.Stat(); err == nil && info.Size() > c.Most {
				why = errors.New("it prints too much")
			}
		}
		if why != nil {
			endGroup(command.Process)
			<-ended //nolint:errcheck // it was killed
			return fmt.Errorf("%s: %w%s", c.Name, why, lastLine(c.Log))
		}
	}
}
