package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// missing is a program that was not found.
type missing struct{ name, variable, where string }

func (m *missing) Error() string { return fmt.Sprintf("%s: no such program%s", m.name, m.where) }

// Hint says how to name it.
func (m *missing) Hint() string {
	return fmt.Sprintf("install %s or set %s to its path", m.name, m.variable)
}

// find returns the path of a server: the one that was named, else what the
// environment variable names, else the one in the PATH.
func find(named, variable, name string) (string, error) {
	where := " in PATH"
	switch {
	case named != "":
		where = " at " + named
	case os.Getenv(variable) != "":
		named = os.Getenv(variable)
		where = fmt.Sprintf(" at %s, which %s names", named, variable)
	default:
		named = name
	}
	path, err := exec.LookPath(named)
	if err != nil {
		return "", &missing{name, variable, where}
	}
	return filepath.Abs(path) // a server runs in a folder of its own
}

// without returns the environment without the variables that begin with a
// prefix: what the user's own server is told is not meant for this one.
func without(env []string, prefix string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, prefix) {
			kept = append(kept, e)
		}
	}
	return kept
}
