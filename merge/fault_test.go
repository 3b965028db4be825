package merge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// faulty is the real disk until an operation is reached, which fails, as do
// all after it. What is written is read at the same time, so the order of
// operations is not always the same.
type faulty struct {
	storage
	left *atomic.Int64 // operations that succeed
	fail func(what string) error
}

func failing(after int, fail func(what string) error) faulty {
	d := faulty{realDisk{}, new(atomic.Int64), fail}
	d.left.Store(int64(after))
	return d
}

func (d faulty) step(what string) error {
	if d.left.Add(-1) < 0 {
		return d.fail(what)
	}
	return nil
}

func (d faulty) mkdir(path string) error {
	if err := d.step("mkdir"); err != nil {
		return err
	}
	return d.storage.mkdir(path)
}

func (d faulty) rename(from, to string) error {
	if err := d.step("rename"); err != nil {
		return err
	}
	return d.storage.rename(from, to)
}

func (d faulty) sync(dir string) error {
	if err := d.step("sync of the directory"); err != nil {
		return err
	}
	return d.storage.sync(dir)
}

func (d faulty) create(path string, size int64) (output, error) {
	if err := d.step("create"); err != nil {
		return nil, err
	}
	f, err := d.storage.create(path, size)
	return faultyFile{f, d}, err
}

type faultyFile struct {
	output
	disk faulty
}

// WriteAt writes half before it fails, as a full disk does.
func (f faultyFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.step("write"); err != nil {
		n, _ := f.output.WriteAt(p[:len(p)/2], at)
		return n, err
	}
	return f.output.WriteAt(p, at)
}

func (f faultyFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.disk.step("read"); err != nil {
		return 0, err
	}
	return f.output.ReadAt(p, at)
}

func (f faultyFile) Sync() error {
	if err := f.disk.step("sync"); err != nil {
		return err
	}
	return f.output.Sync()
}

func (f faultyFile) Close() error {
	err := f.disk.step("close")
	return errors.Join(err, f.output.Close())
}

// exports are the ways to leave something on a disk.
func exports(t testing.TB) map[string]func(disk storage, out string) error {
	a, b, g := small(t, 1), small(t, 2), smallGGUF(t, 3)
	soup := func(parents []*Checkpoint, w Recipe, o WriteOptions) func(storage, string) error {
		w.Workers = 1 // so that operations come in one order
		return func(disk storage, out string) error {
			if parents[0].Format() == GGUF {
				out += ".gguf"
			}
			_, err := writeOn(context.Background(), disk, out, parents, nil, w, o)
			return err
		}
	}
	return map[string]func(storage, string) error{
		"directory": soup([]*Checkpoint{a, b}, global(0.5, 0.5), WriteOptions{}),
		"shards":    soup([]*Checkpoint{a, b}, global(0.5, 0.5), WriteOptions{Shard: 100}),
		"gguf":      soup([]*Checkpoint{g}, global(0.5), WriteOptions{}),
		"created": func(disk storage, out string) error {
			_, err := createOn(context.Background(), disk, out, made(a.Path()), nil)
			return err
		},
	}
}

// complete says whether an output is there, and fails if it is there but not
// whole.
func complete(t testing.TB, dir string) bool {
	for _, name := range []string{"soup", "soup.gguf"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		c, err := Open(path)
		if err != nil {
			t.Errorf("%s looks complete and is not: %v", name, err)
			return true
		}
		defer c.Close()
		if fs, err := Scan(t.Context(), c); err != nil || len(fs) > 0 {
			t.Errorf("%s: %v, %v", name, fs, err)
		}
		return true
	}
	return false
}

// TestEveryFailureLeavesNothing fails each operation in turn: the error names
// the cause, and where the last rename was not reached nothing is left.
func TestEveryFailureLeavesNothing(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for what, export := range exports(t) {
		failures := 0
		for ; ; failures++ {
			dir := t.TempDir()
			var last atomic.Value
			err := export(failing(failures, func(op string) error { last.Store(op); return full }), filepath.Join(dir, "soup"))
			if err == nil {
				break
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, operation %d: %v", what, failures, err)
			}
			at, published := last.Load(), complete(t, dir)
			if published && at != "sync of the directory" {
				t.Errorf("%s: there after a failed %s (operation %d)", what, at, failures)
			}
			if got := listing(t, dir); !published && len(got) > 0 && !strings.HasSuffix(got[0], recordName) {
				t.Errorf("%s: a failed %s (operation %d) left %v", what, at, failures, got)
			}
		}
		if failures < 10 {
			t.Errorf("%s: only %d operations", what, failures)
		}
	}
}

// TestKilledAnywhere kills an exporting process at each operation. What it
// leaves is hidden, and gone after the next run.
func TestKilledAnywhere(t *testing.T) {
	if at := os.Getenv("SOUP_TEST_KILL_AT"); at != "" {
		die(t, at)
		return
	}
	for _, what := range []string{"shards", "gguf"} {
		for step := 0; ; step++ {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledAnywhere$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("SOUP_TEST_KILL_AT=%d %s %s", step, what, dir), "TMPDIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			complete(t, dir)
			if err == nil {
				break
			}
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("step %d: %v\n%s", step, err, out)
			}
			if err := os.RemoveAll(filepath.Join(dir, "soup")); err != nil { // where the last rename was reached
				t.Fatal(err)
			}
			_ = os.Remove(filepath.Join(dir, "soup.gguf"))
			if err := exports(t)[what](realDisk{}, filepath.Join(dir, "soup")); err != nil {
				t.Fatalf("step %d: the next run: %v", step, err)
			}
			for _, name := range listing(t, dir) {
				if strings.HasSuffix(name, ".partial") {
					t.Errorf("step %d: %s is still there after the next run", step, name)
				}
			}
		}
	}
}

// die is the process that is killed.
func die(t *testing.T, at string) {
	fields := strings.Fields(at)
	left, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	kill := func(string) error { return errors.Join(syscall.Kill(os.Getpid(), syscall.SIGKILL), io.ErrNoProgress) }
	if err := exports(t)[fields[1]](failing(left, kill), filepath.Join(fields[2], "soup")); err != nil {
		t.Fatal(err)
	}
}

// TestSweepSparesTheLiving: a draft that is being written stays.
func TestSweepSparesTheLiving(t *testing.T) {
	out := filepath.Join(t.TempDir(), "so[u]p")
	living, err := newDraft(realDisk{}, out)
	if err != nil {
		t.Fatal(err)
	}
	defer living.discard()
	dead := filepath.Join(filepath.Dir(out), ".so[u]p.1-0.partial")
	if err := os.Mkdir(dead, 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := newDraft(realDisk{}, out)
	if err != nil {
		t.Fatal(err)
	}
	second.discard()
	if got := listing(t, filepath.Dir(out)); len(got) != 1 || got[0] != filepath.Base(living.dir) {
		t.Errorf("left: %v", got)
	}
}
