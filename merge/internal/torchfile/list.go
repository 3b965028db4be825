package torchfile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"soup/merge/internal/remedy"
)

// Limits of one file, or rather of the child process that reads it.
const (
	maxTensors = 1_000_000
	maxListing = 64 << 20
	maxTime    = 30 * time.Second
)

// Tensor is one tensor of a file.
type Tensor struct {
	Name   string
	DType  string  // F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL, as safetensors has them
	Shape  []int64 // contiguous, row-major
	Offset int64   // of its first byte in the file; aligned to nothing
	Bytes  int64
}

// List returns the tensors of a file that torch.save wrote, in the order of its
// state dict. Tensors may share bytes. Errors name the file and, where there is
// a remedy, have a method Hint() string.
//
// The file is parsed in a child process: this program once more, which is
// recognised before its main begins. Canceling ctx ends it.
func List(ctx context.Context, f *os.File) ([]Tensor, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() { // it might not end
		err = fmt.Errorf("not a regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	list, err := ask(ctx, f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return list, nil
}

// ask has a child process list the tensors and checks what it says.
func ask(ctx context.Context, f *os.File, size int64) ([]Tensor, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxTime, errTime)
	defer cancel()
	cmd, err := command(ctx, f)
	if err != nil {
		return nil, err
	}
	var log head
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot start the child process that reads pickles: %w", err)
	}
	list, err := receive(out, size, maxListing)
	if err != nil && !errors.Is(err, errCut) {
		cancel() // it may go on printing
	}
	return list, verdict(ctx, err, cmd.Wait(), log.String())
}

var (
	errTime = fmt.Errorf("reading the pickle took longer than %v", maxTime)
	errCut  = errors.New("the child process that reads pickles stopped in the middle of its listing")
)

// command is this program again, as a child that has nothing but the open file.
func command(ctx context.Context, f *os.File) (*exec.Cmd, error) {
	self, err := executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program to start it again: %w", err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args, cmd.Dir = []string{childName}, string(filepath.Separator)
	cmd.Env = []string{"GOMAXPROCS=2", "GOTRACEBACK=none"}
	cmd.ExtraFiles = []*os.File{f}
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// verdict is why no tensors are listed; what the child said goes before how it
// ended, and that we ended it before both.
func verdict(ctx context.Context, said, ended error, log string) error {
	var own *remedy.Error
	switch {
	case errors.As(said, &own):
		return said
	case said != nil && !errors.Is(said, errCut):
		return fmt.Errorf("the child process that reads pickles: %w", said)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ended != nil:
		return died(ended, log)
	}
	return said
}

// died words the end of a child by what the runtime said first.
func died(ended error, log string) error {
	for _, m := range []string{outOfMemory, "cannot allocate memory", "failed to allocate", "pthread_create failed", "failed to create new OS thread"} {
		if strings.Contains(log, m) {
			return remedy.Errorf(resave, "reading the pickle needs more than %d MB of memory", maxMemory>>20)
		}
	}
	if strings.Contains(log, "SIGXCPU") || strings.Contains(ended.Error(), "killed") {
		return remedy.Errorf(resave, "reading the pickle takes more than %d seconds of processor time", maxProcessor)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(log), "\n")
	return remedy.Errorf(resave, "the child process that reads pickles ended with %w: %s", ended, quote(first))
}

// message is a line of what the child prints: a greeting, then tensors, then
// their number; or a refusal.
type message struct {
	Greeting string  `json:",omitempty"`
	Tensor   *Tensor `json:",omitempty"`
	Count    int     `json:",omitempty"`
	Refusal  string  `json:",omitempty"`
	Hint     string  `json:",omitempty"`
}

// receive reads a whole listing, of at most so many bytes, of a file of that
// size.
func receive(out io.Reader, size, most int64) ([]Tensor, error) {
	limited := &io.LimitedReader{R: out, N: most}
	dec := json.NewDecoder(bufio.NewReader(limited))
	dec.DisallowUnknownFields()
	var list []Tensor
	seen := map[string]bool{}
	for greeted := false; ; {
		var m message
		if err := dec.Decode(&m); err != nil {
			return nil, broken(err, limited.N <= 0)
		}
		switch {
		case m.Refusal != "":
			return nil, remedy.Errorf(printable(m.Hint), "%s", printable(m.Refusal))
		case !greeted:
			if greeted = m.Greeting == greeting; !greeted {
				return nil, fmt.Errorf("began with something else than its greeting")
			}
		case m.Tensor == nil:
			return list, whole(m.Count, len(list))
		case len(list) == maxTensors:
			return nil, fmt.Errorf("lists more than %d tensors", maxTensors)
		default:
			if err := m.Tensor.check(size, seen); err != nil {
				return nil, err
			}
			list = append(list, *m.Tensor)
		}
	}
}

// whole says whether as many tensors came as the child had.
func whole(said, came int) error {
	if said != came || came == 0 {
		return fmt.Errorf("listed %d tensors and counted %d", came, said)
	}
	return nil
}

// broken words what ends a listing before its end.
func broken(err error, long bool) error {
	switch {
	case long:
		return fmt.Errorf("printed more than a listing may have")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	}
	return fmt.Errorf("printed no listing: %w", err)
}

// printable makes one line of a text, and not a long one.
func printable(s string) string {
	const most = 2000
	s = strings.ToValidUTF8(s[:min(len(s), most)], "?")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// check compares a listed tensor with itself, the file's size and the names
// before it: the child has read a file that may have taken it over.
func (t *Tensor) check(size int64, seen map[string]bool) error {
	n, fits := int64(1), true
	for _, d := range t.Shape {
		fits = fits && d >= 0 && (d == 0 || n <= math.MaxInt64/8/d)
		if fits {
			n *= d
		}
	}
	width, known := widths[t.DType]
	switch {
	case seen[t.Name] || !utf8.ValidString(t.Name):
		return fmt.Errorf("listed tensor %s twice or not in UTF-8", quote(t.Name))
	case !known || !fits || t.Bytes != n*width:
		return fmt.Errorf("listed %d bytes of %s of shape %v for tensor %s", t.Bytes, quote(t.DType), t.Shape, quote(t.Name))
	case t.Offset < 0 || t.Offset > size || t.Bytes > size-t.Offset:
		return fmt.Errorf("listed tensor %s beyond the end of the file", quote(t.Name))
	}
	seen[t.Name] = true
	return nil
}

// head keeps the first bytes written to it: before its stacks, the runtime
// says why it ends.
type head struct{ kept []byte }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	const most = 4 << 10
	h.kept = append(h.kept, p[:min(len(p), most-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.kept) }
