package launch

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// A command that is given up takes with it what it started; one that is done
// leaves it.
func TestCommandsChildren(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	c := shell(t, "sleep 100 & echo child $!; wait")
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	gone(t, number(t, c.Log, `child (\d+)`))
	c = shell(t, "sleep 100 & echo child $!")
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	child, err := os.FindProcess(number(t, c.Log, `child (\d+)`))
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Kill(); err != nil {
		t.Errorf("what a command started that succeeded: %v", err)
	}
}
