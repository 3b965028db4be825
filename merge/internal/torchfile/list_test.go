package torchfile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"soup/merge/internal/remedy"
)

const (
	greets = `{"Greeting":"torchfile 1"}` + "\n"
	vector = `{"Tensor":{"Name":"x","DType":"F32","Shape":[4],"Offset":60,"Bytes":16}}` + "\n"
)

// TestReceive: a child that was taken over can say what it likes; nothing that
// does not fit the file gets through.
func TestReceive(t *testing.T) {
	tensor := func(fields string) string { return greets + `{"Tensor":{"Name":"y",` + fields + "}}\n" }
	for name, c := range map[string]struct{ out, says string }{
		"nothing":          {"", errCut.Error()},
		"no greeting":      {vector, "began with something else"},
		"other greeting":   {`{"Greeting":"torchfile 0"}`, "began with something else"},
		"no JSON":          {"panic: x\n", "printed no listing"},
		"unknown field":    {greets + `{"Path":"/etc/passwd"}`, "printed no listing"},
		"cut":              {greets + vector, errCut.Error()},
		"cut in a tensor":  {greets + vector[:20], errCut.Error()},
		"miscounted":       {greets + vector + `{"Count":2}`, "listed 1 tensors and counted 2"},
		"none":             {greets + `{}`, "listed 0 tensors and counted 0"},
		"twice":            {greets + vector + vector, `listed tensor "x" twice`},
		"beyond":           {tensor(`"DType":"F32","Shape":[4],"Offset":85,"Bytes":16`), `listed tensor "y" beyond the end`},
		"far beyond":       {tensor(`"DType":"F32","Shape":[4],"Offset":9223372036854775807,"Bytes":16`), "beyond the end"},
		"before":           {tensor(`"DType":"F32","Shape":[4],"Offset":-1,"Bytes":16`), "beyond the end"},
		"unknown type":     {tensor(`"DType":"F8","Shape":[4],"Offset":0,"Bytes":4`), `listed 4 bytes of "F8"`},
		"other size":       {tensor(`"DType":"F32","Shape":[5],"Offset":0,"Bytes":16`), "listed 16 bytes of"},
		"negative size":    {tensor(`"DType":"F32","Shape":[-4],"Offset":0,"Bytes":-16`), "listed -16 bytes of"},
		"overflow":         {tensor(`"DType":"F64","Shape":[4294967296,4294967296],"Offset":0,"Bytes":0`), "listed 0 bytes of"},
		"refused":          {greets + `{"Refusal":"no\ngood\u001b[2J","Hint":"a\nb"}`, "no good [2J"},
		"refused too late": {greets + vector + `{"Refusal":"no good"}`, "no good"},
	} {
		_, err := receive(strings.NewReader(c.out), 100, maxListing)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: %q, want %q", name, err, c.says)
		}
	}
	list, err := receive(strings.NewReader(greets+vector+`{"Count":1}`), 100, maxListing)
	if err != nil || len(list) != 1 || list[0].Offset != 60 {
		t.Errorf("%+v, %v", list, err)
	}
	flood := strings.NewReader(greets + `{"Refusal":"` + strings.Repeat("a", 1000))
	if _, err := receive(flood, 100, 1000); err == nil || !strings.Contains(err.Error(), "printed more than a listing may have") {
		t.Errorf("flood: %v", err)
	}
}

// TestVerdict: what is said of a child that did not end well.
func TestVerdict(t *testing.T) {
	failed := errors.New("exit status 2")
	for name, c := range map[string]struct {
		said, ended error
		log, says   string
	}{
		"refused":       {remedy.Errorf("remedy", "class refused"), nil, "", "class refused"},
		"refused, died": {remedy.Errorf("remedy", "class refused"), failed, "x", "class refused"},
		"lied":          {errors.New("listed nonsense"), failed, "", "the child process that reads pickles: listed nonsense"},
		"cut":           {errCut, nil, "", errCut.Error()},
		"memory":        {errCut, failed, "runtime: out of memory: cannot allocate 4194304-byte block\n\ngoroutine 1", "needs more than 224 MB of memory"},
		"processor":     {errCut, failed, "SIGXCPU: CPU time limit exceeded\n", "more than 20 seconds of processor time"},
		"killed":        {errCut, errors.New("signal: killed"), "", "more than 20 seconds of processor time"},
		"crashed":       {errCut, failed, "panic: index out of range\ngoroutine 1", `ended with exit status 2: "panic: index out of range"`},
	} {
		err := verdict(t.Context(), c.said, c.ended, c.log)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	late, cancel := context.WithTimeoutCause(t.Context(), 0, errTime)
	defer cancel()
	if err := verdict(late, errCut, failed, "x"); !errors.Is(err, errTime) {
		t.Errorf("late: %v", err)
	}
	if err := verdict(t.Context(), nil, nil, ""); err != nil {
		t.Error(err)
	}
}

func TestCanceled(t *testing.T) {
	f, err := os.Open("testdata/views.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := List(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNotAFile(t *testing.T) {
	f, err := os.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := List(t.Context(), f); err == nil || err.Error() != "testdata: not a regular file" {
		t.Errorf("%v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := List(t.Context(), f); err == nil || !strings.HasPrefix(err.Error(), "testdata: ") {
		t.Errorf("%v", err)
	}
}

// TestHead keeps the beginning of a long log.
func TestHead(t *testing.T) {
	var h head
	for i := range 10_000 {
		fmt.Fprintln(&h, i)
	}
	if s := h.String(); len(s) != 4<<10 || !strings.HasPrefix(s, "0\n1\n") {
		t.Errorf("%d bytes kept", len(s))
	}
}

// limitEnv makes the test binary a process that limits itself and then does
// what a child must not.
const limitEnv = "SOUP_TEST_LIMITED"

// TestLimited: a limited process can neither open nor write a file, nor take
// memory without end.
func TestLimited(t *testing.T) {
	if os.Getenv(limitEnv) != "" {
		misbehave()
	}
	for _, mode := range limitedBy {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestLimited$")
		cmd.Env, cmd.Dir = append(os.Environ(), limitEnv+"="+mode), dir
		out, err := cmd.CombinedOutput()
		_, log, limited := strings.Cut(string(out), "limited\n")
		if err == nil || !limited || !strings.Contains(died(err, log).Error(), "more than 224 MB of memory") {
			t.Errorf("%s: %v: %s", mode, err, out[:min(len(out), 1000)])
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: wrote %v, %v", mode, left, err)
		}
	}
}

func misbehave() {
	if err := limit(); err != nil {
		fmt.Println(err)
		os.Exit(0)
	}
	if err := poor(); err != nil {
		fmt.Println(err)
		os.Exit(0)
	}
	fmt.Println("limited")
	if os.Getenv(limitEnv) == "watch" {
		go watch(os.Stdout)
	}
	var kept [][]byte
	for range math.MaxInt16 {
		kept = append(kept, []byte(strings.Repeat("a", 1<<20)))
	}
	fmt.Println("still here", len(kept))
	os.Exit(0)
}
