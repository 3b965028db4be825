package study

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	if now == then || s.sameFromScratch(ctx, c, path, version) {
		return nil
	}
	return fatal(fmt.Errorf("canary: the server still answers as for %s after it was given %s: stale weights", before.candidate.label, c.label))
}

// sameFromScratch tells stale weights from weights that the canary's prompt
// does not tell apart. The server is given other weights, which it must show, and
// these again: one that ignores what it is given cannot show the others. The
// embedded engine, which has one pot, loads these from scratch.
func (s *session) sameFromScratch(ctx context.Context, c candidate, path string, version eval.Version) bool {
	if len(s.kitchen.pots) < 2 {
		r, ok := s.server.(eval.Reloader)
		if !ok {
			return false
		}
		again, err := s.reload(ctx, r, eval.Model{Path: path, Digest: c.key})
		return err == nil && again == version
	}
	for _, other := range s.parents() {
		known, seen := s.versions[other.key]
		if !seen || known == version {
			continue
		}
		away, err := s.kitchen.cook(ctx, other, path)
		if err != nil {
			return false
		}
		shown, err := s.give(ctx, eval.Model{Path: away, Digest: other.key})
		if err != nil || shown != known {
			return false
		}
		again, err := s.give(ctx, eval.Model{Path: path, Digest: c.key})
		return err == nil && again == version
	}
	return false
}

// sumOf returns the checksum of the file served before. Where its pot holds
// other weights by now it is cooked anew, and then set back to c.
func (s *session) sumOf(ctx context.Context, before served, c candidate) ([32]byte, error) {
	p := s.kitchen.at(before.path)
	if before.candidate.isBase() || p == nil || p.key == before.candidate.key {
		return fileSum(before.path)
	}
	if err := s.kitchen.fill(ctx, p, before.candidate); err != nil {
		return [32]byte{}, err
	}
	sum, err := fileSum(before.path)
	if err != nil || c.isBase() {
		return sum, err
	}
	return sum, s.kitchen.fill(ctx, p, c)
}

// fileSum is a checksum of a file, or of the weights in a directory.
func fileSum(path string) (sum [32]byte, err error) {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.safetensors")); err != nil || len(files) == 0 {
			return sum, errors.Join(err, fmt.Errorf("%s: no weights", path))
		}
	}
	h := sha256.New()
	for _, file := range files {
		if err := addFile(h, file); err != nil {
			return sum, err
		}
	}
	h.Sum(sum[:0])
	return sum, nil
}

func addFile(h io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(h, f)
	return err
}
