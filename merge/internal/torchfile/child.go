package torchfile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/metrics"
	"time"

	"soup/merge/internal/remedy"
)

// childName is the first argument, argv[0], of a child. Nothing else has that
// name, and no variable of the environment could be left set by mistake.
const childName = "soup-torchfile"

// outOfMemory is what a child says that ends itself; the runtime's words for it
// begin alike.
const outOfMemory = "out of memory"

// greeting begins a child's listing.
const greeting = "torchfile 1"

// Limits that a child sets itself before it looks at the file.
const (
	maxMemory    = 224 << 20 // bytes, beside what the program takes to start
	maxProcessor = 20        // seconds
)

// A program that holds this package is a child as soon as it is started under
// its name: before main, so that neither a program nor a test has to know.
func init() {
	if isChild() {
		os.Exit(serve(os.NewFile(3, "the checkpoint"), os.Stdout, os.Stderr))
	}
}

func isChild() bool { return len(os.Args) == 1 && os.Args[0] == childName }

// serve lists the tensors of a file and returns the exit code: 0 where the
// listing says all, be it that the file is refused.
func serve(f *os.File, out, log io.Writer) int {
	time.AfterFunc(maxTime, func() { os.Exit(1) }) // the parent may be gone
	go watch(log)
	err := limit()
	if err == nil {
		err = answer(f, out)
	}
	if err != nil {
		fmt.Fprintln(log, err)
		return 1
	}
	return 0
}

// watch ends the process once the runtime has taken its memory. What one step
// may allocate between two looks is bounded by the scan before.
func watch(log io.Writer) {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	for most := sample[0].Value.Uint64() + maxMemory; ; time.Sleep(2 * time.Millisecond) {
		if metrics.Read(sample); sample[0].Value.Uint64() > most {
			fmt.Fprintln(log, outOfMemory)
			os.Exit(1)
		}
	}
}

// answer writes the listing, or the refusal of the file.
func answer(f *os.File, out io.Writer) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	if err := enc.Encode(message{Greeting: greeting}); err != nil {
		return err
	}
	list, err := parse(f, info.Size())
	if err != nil {
		return errors.Join(enc.Encode(refusal(err)), w.Flush())
	}
	for i := range list {
		if err := enc.Encode(message{Tensor: &list[i]}); err != nil {
			return err
		}
	}
	return errors.Join(enc.Encode(message{Count: len(list)}), w.Flush())
}

// refusal puts an error and its remedy into a message.
func refusal(err error) message {
	m := message{Refusal: err.Error(), Hint: resave}
	var h *remedy.Error
	if errors.As(err, &h) {
		m.Hint = h.Hint()
	}
	return m
}
