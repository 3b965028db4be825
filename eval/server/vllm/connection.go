package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

// way is how weights are exchanged.
type way int

const (
	updates  way = iota // weight transfer from disk: /start_weight_update and the others
	reload              // reload_weights of a path
	reloadIn            // reload_weights of the directory that is served, which takes no path
)

// connection is what a server says about itself.
type connection struct {
	version     string
	model       string // its name
	root        string // what it was started with: a path or a name of a hub
	context     int    // tokens
	maxLogprobs int    // likeliest tokens that it names at each place
	way         way
	begun       bool // its weight transfer was begun
	sleeps      bool // it was started with sleep mode: without, /sleep is for ever
}

// advised is an error with a remedy.
type advised struct {
	error
	hint string
}

// Hint says what to do instead.
func (a advised) Hint() string { return a.hint }

// connected asks the server about itself.
func (s *Server) connected(ctx context.Context) (*connection, error) {
	c := &connection{maxLogprobs: canary.Top}
	var version struct{ Version string }
	if err := s.client.Get(ctx, "/version", &version); err != nil {
		return nil, err
	}
	if c.version = version.Version; c.version == "" {
		return nil, fmt.Errorf("vllm at %s: %w: it names no version", s.client.URL(), eval.ErrReply)
	}
	if err := s.findModel(ctx, c); err != nil {
		return nil, err
	}
	disk, err := s.readInfo(ctx, c)
	if err != nil {
		return nil, err
	}
	return c, s.findWay(ctx, c, disk)
}

// findModel chooses the model by its name.
func (s *Server) findModel(ctx context.Context, c *connection) error {
	var models struct {
		Data []struct {
			ID     string
			Root   string
			Parent *string
			Length int `json:"max_model_len"`
		}
	}
	if err := s.client.Get(ctx, "/v1/models", &models); err != nil {
		return err
	}
	var names []string
	for _, m := range models.Data {
		if m.Parent != nil { // an adapter
			continue
		}
		names = append(names, m.ID)
		if s.options.Model == "" || s.options.Model == m.ID {
			c.model, c.root, c.context = m.ID, m.Root, m.Length
		}
	}
	if c.model == "" || c.context <= 0 {
		return fmt.Errorf("vllm at %s: no model %q; it serves %s", s.client.URL(), s.options.Model, strings.Join(names, ", "))
	}
	return nil
}

// readInfo reads the server's configuration, and whether its weight transfer
// reads from disk. Servers outside development mode do not show it.
func (s *Server) readInfo(ctx context.Context, c *connection) (disk bool, err error) {
	var info struct {
		Config json.RawMessage `json:"vllm_config"`
	}
	err = s.client.Get(ctx, "/server_info?config_format=json", &info)
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && refusal.Code == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var config struct {
		Model struct {
			MaxLogprobs *int   `json:"max_logprobs"`
			Mode        string `json:"logprobs_mode"`
			Sleeps      bool   `json:"enable_sleep_mode"`
		} `json:"model_config"`
		Transfer struct{ Backend string } `json:"weight_transfer_config"`
	}
	if json.Unmarshal(info.Config, &config) != nil {
		return false, nil // older servers show it as one text
	}
	if mode := config.Model.Mode; !slices.Contains([]string{"", "raw_logprobs"}, mode) {
		return false, advised{
			fmt.Errorf("vllm at %s: its log-probabilities are those of %q", s.client.URL(), mode), "start it with --logprobs-mode raw_logprobs, its default",
		}
	}
	if n := config.Model.MaxLogprobs; n != nil && *n >= 0 {
		c.maxLogprobs = *n
	}
	c.sleeps = config.Model.Sleeps
	return config.Transfer.Backend == "disk", nil
}

// findWay chooses how weights are exchanged.
func (s *Server) findWay(ctx context.Context, c *connection, disk bool) error {
	if disk {
		has, err := s.has(ctx, "/update_weights")
		if err != nil {
			return err
		}
		if has {
			c.way = updates
			return nil
		}
	}
	has, err := s.has(ctx, "/collective_rpc")
	if err != nil {
		return err
	}
	if !has {
		return advised{
			fmt.Errorf("vllm at %s has no route that exchanges weights", s.client.URL()), "start it with VLLM_SERVER_DEV_MODE=1 in its environment",
		}
	}
	c.way = reload
	return nil
}

// has tells whether a route exists that takes POST: GET is not allowed there,
// and not found elsewhere.
func (s *Server) has(ctx context.Context, route string) (bool, error) {
	err := s.client.Get(ctx, route, nil)
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && (refusal.Code == http.StatusMethodNotAllowed || refusal.Code == http.StatusNotFound) {
		return refusal.Code == http.StatusMethodNotAllowed, nil
	}
	return err == nil, err
}
