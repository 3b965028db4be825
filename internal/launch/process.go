package launch

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say how a server is started.
type Options struct {
	Program string        // its path; default: what the environment or the PATH names, see Ollama and LlamaServer
	Folder  string        // keeps its log, its home directory and what it stores; made if missing
	Args    []string      // added to the command line
	Env     []string      // added to the environment, "KEY=value"
	Port    string        // of 127.0.0.1; default: one that is free
	Wait    time.Duration // how long it may take until it answers; default 2 minutes
	Grace   time.Duration // between the request to end and the end by force; default 10 seconds
}

const (
	defaultWait  = 2 * time.Minute
	defaultGrace = 10 * time.Second
	pause        = 50 * time.Millisecond // between two questions whether it answers
	attempts     = 3                     // with another port, if something else took the one that was free
)

// Process is a server that was started here.
type Process struct {
	URL string // http://127.0.0.1:PORT
	Log string // the file with what it prints

	name    string
	grace   time.Duration
	command *exec.Cmd
	done    chan struct{} // closed when it has ended
	failure error         // why it ended; read after done
	once    sync.Once
}

// server is what the kinds of servers differ in.
type server struct {
	name    string // in messages, and of the log file
	program string
	health  string // path of an URL that gives 200 when requests will be answered
	hidden  string // prefix of the variables that it does not get from this process
	command func(port string) (args, env []string)
}

// start runs a server and returns when it answers. The context bounds the
// start only.
func start(ctx context.Context, s server, o Options) (*Process, error) {
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if o.Wait <= 0 {
		o.Wait = defaultWait
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Wait, fmt.Errorf("it did not answer within %s", o.Wait))
	defer cancel()
	for attempt := 1; ; attempt++ {
		port := o.Port
		if port == "" {
			if port, err = freePort(ctx); err != nil {
				return nil, err
			}
		}
		p, err := startAt(ctx, s, o, folder, port)
		if err == nil || ctx.Err() != nil || attempt == attempts || isFree(ctx, port) {
			return p, err
		}
	}
}

// startAt is start with a port.
func startAt(ctx context.Context, s server, o Options, folder, port string) (*Process, error) {
	args, env := s.command(port)
	p := &Process{
		URL: "http://" + net.JoinHostPort(loopback, port), Log: filepath.Join(folder, s.name+".log"),
		name: s.name, grace: o.Grace, done: make(chan struct{}),
		command: exec.Command(s.program, append(args, o.Args...)...),
	}
	p.command.Dir = folder
	p.command.Env = append(append(without(os.Environ(), s.hidden), env...), o.Env...)
	if err := p.run(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if err := p.await(ctx, p.URL+s.health); err != nil {
		if stays := p.Close(); stays != nil {
			return nil, fmt.Errorf("%w; %w", err, stays)
		}
		return nil, err
	}
	return p, nil
}

// run starts the command and a goroutine that waits for its end.
func (p *Process) run() error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	p.command.Stdout, p.command.Stderr = log, log
	started := make(chan error)
	go func() {
		defer close(p.done)
		defer log.Close()
		startAndWait(p.command, started, func(err error) { p.failure = err })
	}()
	return <-started
}

// await returns when url gives 200.
func (p *Process) await(ctx context.Context, url string) error {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if answers(ctx, &client, url) {
			select {
			case <-p.done: // something else answers there
				return p.Err()
			default:
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w%s", p.name, context.Cause(ctx), p.lastWords())
		case <-p.done:
			return p.Err()
		case <-time.After(pause):
		}
	}
}

func answers(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	reply, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = reply.Body.Close()
	return reply.StatusCode == http.StatusOK
}

// Port is the one of its address.
func (p *Process) Port() string { return p.URL[strings.LastIndex(p.URL, ":")+1:] }

// PID is the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Done is closed when the process has ended, however it did.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says why the process has ended, with the last line of its log; nil while
// it runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	if p.failure == nil {
		return fmt.Errorf("%s ended by itself%s", p.name, p.lastWords())
	}
	return fmt.Errorf("%s ended: %w%s", p.name, p.failure, p.lastWords())
}

// Close asks the process to end, forces it after Options.Grace, and returns
// when it has. Processes that it started itself end with it. It is safe to call
// twice.
func (p *Process) Close() error {
	var err error
	p.once.Do(func() {
		askToEnd(p.command.Process)
		select {
		case <-p.done:
		case <-time.After(p.grace):
			err = kill(p.command.Process)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: end process %d: %w", p.name, p.PID(), err)
	}
	<-p.done
	return nil
}

// lastWords is the end of the log, for an error.
func (p *Process) lastWords() string { return lastLine(p.Log) }

// lastLine is the last line of a log, for an error.
func lastLine(log string) string {
	f, err := os.Open(log)
	if err != nil {
		return ""
	}
	defer f.Close()
	tail := make([]byte, 2048)
	if info, err := f.Stat(); err == nil && info.Size() > int64(len(tail)) {
		_, _ = f.Seek(-int64(len(tail)), 2) // the whole log does as well
	}
	n, _ := f.Read(tail)
	lines := bytes.Split(bytes.TrimSpace(tail[:n]), []byte("\n"))
	last := strings.TrimSpace(string(lines[len(lines)-1]))
	if last == "" {
		return "; its log is empty: " + log
	}
	return fmt.Sprintf("; the last line of %s: %s", log, last)
}
