package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"soup": main})
}

// smallHeaps is GOGC of the soups that tests start: collecting their few megabytes
// over and over took a twentieth of the time.
const smallHeaps = "400"

// TestScripts runs every scenario of testdata. They see the garden as $GARDEN,
// the checkpoints that torch wrote for the tests of merge below $MERGE, and LoRA
// adapters of the garden's base as $ADAPTERS.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GOGC", smallHeaps)
			e.Setenv("GARDEN", filepath.Join(root, "examples", "garden"))
			e.Setenv("MERGE", filepath.Join(root, "merge"))
			e.Setenv("ADAPTERS", filepath.Join(root, "merge", "adapter", "testdata"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit": exitCode, "broken": broken, "items": items, "subst": subst, "oneline": oneLineError, "waitfor": waitFor,
			"tiny": tiny, "near": near, "freeport": freePort, "fetch": fetch,
		},
		RequireExplicitExec: true,
	})
}

// exit CODE COMMAND... runs soup and wants that exit code.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE soup ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}

// oneline wants stderr to be one error line, with a hint line or without.
func oneLineError(ts *testscript.TestScript, _ bool, _ []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stderr")), "\n")
	if !strings.HasPrefix(lines[0], "soup: error: ") || len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[1], "soup: hint: ") {
		ts.Fatalf("stderr is not one error line and at most one hint:\n%s", strings.Join(lines, "\n"))
	}
}

// subst FILE replaces $NAME in a file by the environment.
func subst(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// items N FILE... copies the first N items of every split of garden data, N in
// letters. No answer may be longer than the longest right one: a parent that babbles
// costs as many steps as it may take.
func items(ts *testscript.TestScript, _ bool, args []string) {
	n := len(args[0])
	for _, name := range args[1:] {
		taken := map[string]int{}
		var out strings.Builder
		for line := range strings.Lines(ts.ReadFile(filepath.Join(ts.Getenv("GARDEN"), "data", name))) {
			var item struct{ Split string }
			ts.Check(json.Unmarshal([]byte(line), &item))
			if taken[item.Split]++; taken[item.Split] <= n {
				out.WriteString(`{"max_tokens": 10, ` + line[1:])
			}
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(out.String()), 0o600))
	}
}

// broken KIND DIR writes a copy of the garden's base into DIR with its weights
// damaged in one way.
func broken(ts *testscript.TestScript, _ bool, args []string) {
	kind, dir := args[0], ts.MkAbs(args[1])
	ts.Check(os.CopyFS(dir, os.DirFS(filepath.Join(ts.Getenv("GARDEN"), "base"))))
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	ts.Check(err)
	if kind == "shard-missing" || kind == "shard-escapes" {
		shard := map[string]string{"shard-missing": "model-00001-of-00001.safetensors", "shard-escapes": "../model.safetensors"}[kind]
		ts.Check(os.Remove(path))
		index := `{"weight_map":{"lm_head.weight":"` + shard + `"}}`
		ts.Check(os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(index), 0o600))
		return
	}
	ts.Check(os.WriteFile(path, damage(ts, kind, data), 0o600))
}

func damage(ts *testscript.TestScript, kind string, data []byte) []byte {
	n := binary.LittleEndian.Uint64(data)
	header, body := string(data[8:8+n]), data[8+n:]
	edit := func(old, replacement string) []byte {
		if !strings.Contains(header, old) {
			ts.Fatalf("header has no %q", old)
		}
		changed := strings.Replace(header, old, replacement, 1)
		out := binary.LittleEndian.AppendUint64(nil, uint64(len(changed)))
		return append(append(out, changed...), body...)
	}
	switch kind {
	case "none-at-all":
		return data
	case "empty":
		return nil
	case "truncated":
		return data[:len(data)-1000]
	case "header-too-long":
		return binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	case "overlap":
		return edit(`[131072,262144]`, `[131000,262072]`)
	case "out-of-range":
		return edit(`[1148416,1148672]`, `[1148416,9148672]`)
	case "duplicate":
		return edit(`"model.norm.weight"`, `"lm_head.weight"`)
	case "dtype":
		return edit(`"BF16"`, `"Q3_K"`)
	case "shape":
		return edit(`"shape":[128,256]`, `"shape":[256,128]`)
	}
	ts.Fatalf("unknown damage %s", kind)
	return nil
}

// waitfor FILE waits until a file is there, and a moment longer.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	for range 300 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			time.Sleep(time.Second)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}
