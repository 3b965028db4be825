package launch

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// gone waits until a process is no more, or only waits to be reaped.
func gone(t *testing.T, pid int) {
	t.Helper()
	zombie := regexp.MustCompile(`(?m)^State:\s+Z`)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(pause) {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if errors.Is(err, os.ErrNotExist) || zombie.Match(status) {
			return
		}
	}
	t.Errorf("process %d still runs", pid)
}

func number(t *testing.T, file, pattern string) int {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(raw)
	if m == nil {
		t.Fatalf("%s: no %s in %q", file, pattern, raw)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Ollama runs each model in a process of its own: none may be left, not even
// when Ollama itself was killed.
func TestChildrenEndWithIt(t *testing.T) {
	for name, end := range map[string]func(*Process) error{
		"closed": (*Process).Close,
		"killed": func(p *Process) error { return syscall.Kill(p.PID(), syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Ollama(t.Context(), options(t, "parent"))
			if err != nil {
				t.Fatal(err)
			}
			child := number(t, p.Log, `child (\d+)`)
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			gone(t, child)
			mustEnd(t, p)
		})
	}
}

// The server ends when the program that started it is killed.
func TestEndsWithItsStarter(t *testing.T) {
	if os.Getenv("STARTER") != "" {
		p, err := LlamaServer(t.Context(), "some.gguf", Options{
			Program: os.Args[0], Folder: os.Getenv("STARTER"), Env: []string{fakeVariable + "=well"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(os.Getenv("STARTER")+"/pid", strconv.AppendInt([]byte("pid "), int64(p.PID()), 10), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
	}
	folder := t.TempDir()
	starter := exec.Command(os.Args[0], "-test.run=^TestEndsWithItsStarter$")
	starter.Env = append(os.Environ(), "STARTER="+folder)
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(pause) {
		if info, err := os.Stat(folder + "/pid"); err == nil && info.Size() > 4 {
			break
		}
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait() // killed
	gone(t, number(t, folder+"/pid", `pid (\d+)`))
}
