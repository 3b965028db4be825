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
// must give another version, unless rounding made the two files equal: then,
// and only then, the files are compared byte for byte.
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
	if now != then {
		return fatal(fmt.Errorf("canary: the server still answers as for %s after it was given %s: stale weights", before.candidate.label, c.label))
	}
	return nil
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
