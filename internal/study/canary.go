package study

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"soup/eval"
)

// served is what the server was last given.
type served struct {
	candidate candidate
	path      string
	version   eval.Version
}

// checkStale compares the server's version with the one before. Other weights
// must give another version, unless rounding made the two files equal, or the
// difference is where the canary's prompt does not look: only then the files
// are compared byte for byte, and the server loads from scratch.
func (s *session) checkStale(ctx context.Context, c candidate, path string, version eval.Version) error {
	before := s.last
	s.last = served{c, path, version}
	if before.version != version || before.candidate.key == c.key {
		return nil
	}
	now, err := fileSum(path)
	if err != nil {
		return err
	}
	then, err := s.sumOf(ctx, before, c)
	if err != nil {
		return err
	}
	if now == then || s.sameFromScratch(ctx, path, version) {
		return nil
	}
	return fatal(fmt.Errorf("canary: the server still answers as for %s after it was given %s: stale weights", before.candidate.label, c.label))
}

// sameFromScratch tells stale weights from weights that the canary's prompt
// does not tell apart: loaded from scratch, the latter give this version again.
func (s *session) sameFromScratch(ctx context.Context, path string, version eval.Version) bool {
	r, ok := s.server.(eval.Reloader)
	if !ok {
		return false
	}
	again, err := r.Reload(ctx, eval.Model{Path: path})
	return err == nil && again == version
}

// sumOf returns the checksum of the file served before. Where the buffer holds
// other weights by now it is cooked anew, and then set back to c.
func (s *session) sumOf(ctx context.Context, before served, c candidate) ([32]byte, error) {
	if before.candidate.isBase() || before.path != s.buffer.Path() {
		return fileSum(before.path)
	}
	if _, err := s.buffer.Cook(ctx, s.pantry.served, s.pantry.recipe(before.candidate.weights)); err != nil {
		return [32]byte{}, err
	}
	sum, err := fileSum(before.path)
	if err != nil || c.isBase() {
		return sum, err
	}
	_, err = s.buffer.Cook(ctx, s.pantry.served, s.pantry.recipe(c.weights))
	return sum, err
}

func fileSum(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}
