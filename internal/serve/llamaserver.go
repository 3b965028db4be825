package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	gguf "github.com/gpustack/gguf-parser-go"

	"soup/eval"
	"soup/eval/server/llamaserver"
	"soup/internal/launch"
	"soup/internal/usage"
)

// What a llama-server that soup starts can do at the same time, and how many
// tokens each of these requests may have.
const (
	llamaSlots   = 4
	llamaContext = 2048
)

func checkLlamaServer(o Options) error {
	switch {
	case o.Start == (o.URL != ""):
		return usage.Errorf("kind llamaserver needs either start: true or the url of a server that runs")
	case !o.Start && (o.Program != "" || len(o.Args) > 0 || o.Threads != 0 || o.Context != 0):
		return usage.Errorf("program, args, threads and context go with start: true only: the server at %s was started with its own", o.URL)
	case o.Start && (o.Models != "" || o.Model != "" || o.Key != ""):
		return usage.Errorf("models, model and key are for a server that runs, not for start: true")
	case o.Model != "" && o.Models == "":
		return usage.Errorf("model is the candidates' name in a router's folder: give that folder (models)")
	case o.Model != filepath.Base(o.Model) && o.Model != "":
		return usage.Errorf("model %q is no file's name", o.Model)
	case len(o.Swap) > 0 || len(o.Request) > 0 || o.Takes != "":
		return usage.Errorf("swap, request and takes go with kind openai only")
	}
	return nil
}

func openLlamaServer(_ context.Context, o Options) (eval.Server, error) {
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	options := llamaserver.Options{
		URL: o.URL, Models: o.Models, Model: o.Model, Timeout: o.Timeout,
		ChatTemplate: chatTemplate, Key: key,
	}
	if !o.Start {
		return llamaserver.New(options)
	}
	options.Start = o.startLlamaServer
	server, err := llamaserver.New(options)
	return &startedLlamaServer{server, o.Program}, err
}

// startedLlamaServer has no process, and so no version of its own, until it has a
// model: the program says it.
type startedLlamaServer struct {
	*llamaserver.Server
	program string
}

// Identity implements eval.Identifier.
func (s *startedLlamaServer) Identity(ctx context.Context) (string, error) {
	version, err := launch.LlamaServerVersion(ctx, launch.Options{Program: s.program})
	return "llama-server " + version, err
}

// startLlamaServer starts a process for one file. The context's size that it is
// given is shared out among its slots.
func (o Options) startLlamaServer(ctx context.Context, model string) (llamaserver.Process, error) {
	slots, tokens := o.Parallel, o.Context
	if slots == 0 {
		slots = llamaSlots
	}
	if tokens == 0 {
		tokens = llamaContext
	}
	args := []string{"-np", strconv.Itoa(slots), "-c", strconv.Itoa(slots * tokens), "--no-warmup"}
	if o.Threads > 0 {
		args = append(args, "-t", strconv.Itoa(o.Threads))
	}
	folder := o.Folder
	if folder == "" {
		folder = os.TempDir()
	}
	log := filepath.Join(folder, "llama-server.log")
	before := sizeOf(log)
	p, err := launch.LlamaServer(ctx, model, launch.Options{Program: o.Program, Folder: folder, Args: append(args, o.Args...)})
	if err != nil {
		return llamaserver.Process{}, shortOfMemory(ended(err), log, before)
	}
	return llamaserver.Process{URL: p.URL, Stop: p.Close, Err: p.Err}, nil
}

// Words of ggml and CUDA for too little memory, with a request of CUDA's and of
// the system's.
var memoryWords = regexp.MustCompile(`(?i)out of memory|cudaMalloc failed|failed to allocate|unable to allocate|cannot allocate memory|bad_alloc`)

// shortOfMemory looks for such words in a log from a place on, as far as they
// are near its end; the last line, which err has, says that the model did not
// load, and not why.
func shortOfMemory(err error, log string, from int64) error {
	const tail = 64 << 10
	f, failed := os.Open(log)
	if failed != nil {
		return err
	}
	defer f.Close()
	text, failed := io.ReadAll(io.NewSectionReader(f, max(from, sizeOf(log)-tail), tail))
	if failed == nil && memoryWords.Match(text) {
		return fmt.Errorf("%w: %w", eval.ErrOutOfMemory, err)
	}
	return err
}

// sizeOf is a file's size; 0 if there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// chatTemplate reads the chat template of a GGUF file; "" if it has none. The
// library panics on some malformed headers.
func chatTemplate(path string) (template string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s: malformed header: %v", path, fault)
		}
	}()
	f, err := gguf.ParseGGUFFile(path, gguf.SkipLargeMetadata())
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if kv, ok := f.Header.MetadataKV.Get("tokenizer.chat_template"); ok {
		template, _ = kv.Value.(string)
	}
	return template, nil
}
