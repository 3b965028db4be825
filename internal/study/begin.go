package study

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"

	"soup/eval"
	"soup/results"
)

// itemBatch items are asked and recorded together: the most that a kill can
// cost. Answers may depend on their batch in the last bits, so it is one of the
// settings that must not change within a study.
const itemBatch = 150

// Settings that are read again: the identities of the items and of the server; as
// JSON, the weights of the categories and what must be kept, if anything.
const (
	itemsSetting     = "items"
	keepSetting      = "keep"
	objectiveSetting = "objective"
	serverSetting    = "server"
)

// begin writes the study into a new ledger, or compares it with the one that
// is there: what a score depends on must not have changed. Strategies and
// budgets may grow.
func (s *session) begin(ctx context.Context) error {
	s.batch = itemBatch
	settings, err := s.settings()
	if err != nil {
		return err
	}
	var parents []results.Parent
	for i, name := range s.pantry.names {
		path, err := filepath.Abs(s.config.Parents.List[i].Path)
		if err != nil {
			return err
		}
		parents = append(parents, results.Parent{Name: name, Path: path, Hash: s.pantry.hashes[i]})
	}
	about := results.Study{Name: s.config.Study, Seed: s.config.Seed, Config: s.config.Text, Settings: settings}
	if err := s.ledger.Begin(about, parents); err != nil {
		return err
	}
	if err := s.keepScores(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.noteFile(), s.noteFindings(), s.notePlanes(ctx)); err != nil {
		return err
	}
	if s.past, err = s.ledger.Trials(); err != nil {
		return err
	}
	if s.earlier, err = s.versionsBefore(); err != nil {
		return err
	}
	if s.stopped, err = readStopped(s.ledger); err != nil {
		return err
	}
	if err := s.readTokens(); err != nil {
		return err
	}
	s.space.Groups = s.pantry.groups.Names
	if len(s.space.Groups) == 0 {
		s.space.Groups = []string{"all"}
	}
	return nil
}

// settings are what a score depends on.
func (s *session) settings() ([]results.Setting, error) {
	objective, err := json.Marshal(s.config.Objective.Weights)
	if err != nil {
		return nil, err
	}
	low, high, sum := s.config.Weights.values()
	settings := []results.Setting{
		{Name: itemsSetting, Value: short(s.set.Hash())},
		{Name: "batch", Value: fmt.Sprint(s.batch)},
		{Name: objectiveSetting, Value: string(objective)},
		{Name: "weights", Value: fmt.Sprintf("min %g max %g sum %g", low, high, sum)},
		{Name: "store", Value: cmp.Or(s.pantry.store.Torch(), "as the parents")},
		{Name: "groups", Value: s.pantry.grouping()},
		{Name: "base", Value: cmp.Or(short(s.pantry.baseID), "none")},
		{Name: serverSetting, Value: s.identity},
	}
	if len(s.keep) > 0 {
		keep, err := json.Marshal(s.keep)
		if err != nil {
			return nil, err
		}
		settings = append(settings, results.Setting{Name: keepSetting, Value: string(keep)})
	}
	if s.config.Racing != nil {
		settings = append(settings, results.Setting{Name: "racing", Value: s.config.Racing.String()})
	}
	return settings, nil
}

// fileEvent holds the path of the study file, from which the paths in it start.
const fileEvent = "study-file"

// noteFile notes where the study file is, if that is new.
func (s *session) noteFile() error {
	path, err := filepath.Abs(s.config.File)
	if err != nil {
		return err
	}
	noted, err := s.ledger.Events(fileEvent)
	if err != nil {
		return err
	}
	if last := len(noted) - 1; last >= 0 {
		var was string
		if json.Unmarshal(noted[last].Detail, &was) == nil && was == path {
			return nil
		}
	}
	return s.ledger.Event(fileEvent, path)
}

func short(hash string) string { return hash[:min(12, len(hash))] }

// versionsBefore are the canary's versions of earlier sessions.
func (s *session) versionsBefore() (map[string]eval.Version, error) {
	swaps, err := s.ledger.Events(swapEvent)
	versions := map[string]eval.Version{}
	for _, e := range swaps {
		var d swapped
		if json.Unmarshal(e.Detail, &d) == nil && d.Export == "" {
			versions[d.Key] = d.Version
		}
	}
	return versions, err
}

// engineVersion names the build of the engine: other versions may answer
// differently.
func engineVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/ollama/ollama" {
			return m.Version
		}
	}
	return "unknown"
}
