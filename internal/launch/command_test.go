package launch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T, script string) Command {
	t.Helper()
	return Command{Name: "swap", Args: []string{"sh", "-c", script, "candidate"}, Env: []string{"SOUP_MODEL=candidate"}, Log: filepath.Join(t.TempDir(), "new", "swap.log")}
}

func TestCommand(t *testing.T) {
	c := shell(t, `test "$0" = candidate && test "$SOUP_MODEL" = candidate && echo done`)
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log, err := os.ReadFile(c.Log); err != nil || string(log) != "done\n" {
		t.Errorf("log %q, %v", log, err)
	}
}

func TestCommandFails(t *testing.T) {
	for _, c := range []struct {
		script string
		change func(*Command)
		want   []string
	}{
		{"echo first; echo no such model >&2; exit 3", nil, []string{"swap: exit status 3", "no such model"}},
		{"exit 4", nil, []string{"exit status 4", "log is empty"}},
		{"echo waits; sleep 100", func(c *Command) { c.Limit = 200 * time.Millisecond }, []string{"within 200ms", "waits"}},
		{"yes", func(c *Command) { c.Most = 1000 }, []string{"prints too much"}},
		{"true", func(c *Command) { c.Args = []string{"/no/such/program"} }, []string{"swap: ", "/no/such/program"}},
		{"true", func(c *Command) { c.Log = filepath.Join(os.Args[0], "swap.log") }, []string{"swap: mkdir"}},
	} {
		command := shell(t, c.script)
		if c.change != nil {
			c.change(&command)
		}
		err := command.Run(t.Context())
		if err == nil {
			t.Errorf("%s: no error", c.script)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v: no %q", c.script, err, want)
			}
		}
	}
}
