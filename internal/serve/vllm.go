package serve

import (
	"context"
	"os"
	"path/filepath"
	"strconv"

	"soup/eval"
	"soup/eval/server/vllm"
	"soup/internal/launch"
	"soup/internal/usage"
)

func checkVLLM(o Options) error {
	if o.Start == (o.URL != "") {
		return usage.Errorf("kind vllm needs either url or start: true")
	}
	if !o.Start && (o.Program != "" || len(o.Args) > 0) {
		return usage.Errorf("program and args go with start: true")
	}
	return checkDirectories(o)
}

// checkDirectories is for servers that read Hugging Face directories.
func checkDirectories(o Options) error {
	if len(o.Swap) > 0 || o.Threads != 0 {
		return usage.Errorf("swap and threads do not go with kind %s", o.Kind)
	}
	_, err := o.secret()
	return err
}

// secret reads the key that is sent from the environment.
func (o Options) secret() (string, error) {
	if o.Key == "" {
		return "", nil
	}
	key := os.Getenv(o.Key)
	if key == "" {
		return "", usage.Errorf("key: the environment variable %s is not set", o.Key)
	}
	return key, nil
}

func openVLLM(_ context.Context, o Options) (eval.Server, error) {
	key, err := o.secret()
	if err != nil {
		return nil, err
	}
	driver := vllm.Options{URL: o.URL, Key: key, Model: o.Model, Context: o.Context, Timeout: o.Timeout}
	if !o.Start {
		return vllm.New(driver)
	}
	s := &startedVLLM{options: o}
	driver.Start, driver.Model = s.start, ""
	s.Server, err = vllm.New(driver)
	return s, err
}

// startedVLLM is a server that ends with its driver.
type startedVLLM struct {
	*vllm.Server
	options Options
	process *launch.Process
	fresh   bool // the process has not been used yet
}

// Identity implements eval.Identifier. The server is started for it where what it
// begins with is known.
func (s *startedVLLM) Identity(ctx context.Context) (string, error) {
	if s.process == nil {
		if _, err := s.start(ctx, s.options.Base); err != nil {
			return "", err
		}
		s.fresh = true
	}
	return vllm.Version(ctx, s.process.URL, "")
}

// start begins with the base, if that is a directory: candidates differ from it
// in their weights only.
func (s *startedVLLM) start(ctx context.Context, checkpoint string) (string, error) {
	if s.fresh && s.process.Err() == nil {
		s.fresh = false
		return s.process.URL, nil
	}
	if err := s.end(); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(s.options.Base, "config.json")); s.options.Base != "" && err == nil {
		checkpoint = s.options.Base
	}
	args := s.options.Args
	if c := s.options.Context; c > 0 {
		args = append([]string{"--max-model-len", strconv.Itoa(c)}, args...)
	}
	p, err := launch.VLLM(ctx, checkpoint, launch.Options{Program: s.options.Program, Folder: s.options.Folder, Args: args})
	if err != nil {
		return "", ended(err)
	}
	s.process = p
	return p.URL, nil
}

func (s *startedVLLM) end() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.Close()
}

// Close implements eval.Server.
func (s *startedVLLM) Close() error {
	if err := s.Server.Close(); err != nil {
		return err
	}
	return s.end()
}
