package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"soup/eval"
	"soup/merge"
	"soup/merge/convert"
	"soup/results"
)

// deliver exports the winner, unless it is there with the content that the
// ledger knows, and scores the export on test. Before that the export is
// loaded: it must answer, bit for bit, as the candidate that was scored.
func (s *session) deliver(ctx context.Context, w finalist, reason string) error {
	if s.fleet != nil {
		s.fleet.serving.Lock()
		defer s.fleet.serving.Unlock()
	}
	out := s.winner()
	known, had, err := s.ledger.Winner()
	if err != nil {
		return err
	}
	if had && known.Trial != w.trial {
		if err := s.noteTestAgain(known.Trial, w.trial); err != nil {
			return err
		}
	}
	sum, err := contentHash(ctx, out)
	intact := err == nil && had && known.Trial == w.trial && sum == known.SHA256
	loaded := false
	loadExport := func(ctx context.Context) (spent, error) {
		if loaded { // it has just been, by the attempt before
			loaded = false
			return spent{}, nil
		}
		return spent{}, s.loadExport(ctx, w.candidate, out, sum)
	}
	if !intact {
		if had && known.Trial == w.trial {
			s.warn(out + " was removed or changed; it is written again")
		}
		if sum, err = s.export(ctx, w.candidate, out); err != nil {
			return err
		}
		if _, err := s.attended(ctx, loadExport); err != nil {
			return err
		}
		loaded = true
	}
	why, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	if err := s.ledger.SetWinner(results.Winner{Trial: w.trial, Path: filepath.Base(out), SHA256: sum, Reason: why}); err != nil {
		return err
	}
	s.progress.Candidate(w.trial, w.strategy, w.label)
	_, err = s.scoreTest(ctx, w.trial, s.set.Test, loadExport)
	return err
}

// testAgain is written when the test split is read for a second winner.
const testAgain = "test-again"

func (s *session) noteTestAgain(before, now int) error {
	read, err := s.ledger.Outcomes(before, results.Test)
	if err != nil || len(read) == 0 {
		return err
	}
	s.warn(fmt.Sprintf("the test split was read before, for trial %d; now the winner is trial %d: its test score is no longer unseen", before, now))
	return s.ledger.Event(testAgain, map[string]int{"before": before, "now": now})
}

// loadExport swaps in the exported checkpoint and checks that it is the one
// that was scored.
func (s *session) loadExport(ctx context.Context, c candidate, out, sum string) error {
	if err := s.prove(ctx); err != nil {
		return err
	}
	if _, err := s.load(ctx, c); err != nil {
		return err
	}
	want, cooked := s.versions[c.key], s.last.path
	path, err := s.served(ctx, out, sum)
	if err != nil {
		return err
	}
	version, err := s.give(ctx, eval.Model{Path: path, Digest: sum})
	if err != nil {
		return err
	}
	s.last = served{c, cooked, version} // the pot has the same weights
	if version != want && !s.pantry.lossy {
		return fatal(fmt.Errorf("%s: the exported winner answers differently from the candidate that was scored (versions %s and %s)", out, version, want))
	}
	return s.ledger.Event(swapEvent, swapped{Key: c.key, Version: version, Export: filepath.Base(out)})
}

// served is the exported winner as the server reads it.
func (s *session) served(ctx context.Context, out, sum string) (string, error) {
	if s.pantry.directories || s.pantry.source[0].Format() == merge.GGUF {
		return out, nil
	}
	return convert.Path(ctx, out, s.cache(), sum)
}

// export writes the winner in place of what was there and returns its content
// hash.
func (s *session) export(ctx context.Context, c candidate, out string) (string, error) {
	if err := os.RemoveAll(out); err != nil {
		return "", err
	}
	recipe := merge.Recipe{Groups: s.pantry.groups, Weights: c.weights}
	options := merge.WriteOptions{Store: s.pantry.store, Method: c.strategy}
	if _, err := merge.Write(ctx, out, s.pantry.source, s.pantry.names, recipe, options); err != nil {
		return "", err
	}
	return contentHash(ctx, out)
}

// contentHash identifies a checkpoint on disk.
func contentHash(ctx context.Context, path string) (string, error) {
	c, err := merge.Open(path)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Hash(ctx)
}
