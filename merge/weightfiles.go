package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// weightFiles are the weight files of a draft, written piece by piece: pages of
// a mapped file that is new would each cost a fault and a zeroing, and a full
// disk would be a fault instead of an error.
type weightFiles struct {
	layout    layout
	paths     []string
	files     []output
	followers []*follower // by file: hash it
}

// createWeights creates the files, with their blocks reserved, and writes the
// headers and, for shards, the index.
func createWeights(d *draft, l layout) (*weightFiles, error) {
	w := &weightFiles{layout: l}
	for i, p := range l.parts {
		f, err := d.disk.create(d.path(p.name), p.size)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.files, w.paths, w.followers = append(w.files, f), append(w.paths, d.path(p.name)), append(w.followers, l.followPart(i, f))
		if _, err := f.WriteAt(p.header, 0); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", d.path(p.name), err), w.close())
		}
	}
	if !l.shards {
		return w, nil
	}
	index, err := l.index()
	if err == nil {
		err = d.write(indexName, index)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *weightFiles) direct() bool { return false }

func (w *weightFiles) room(_ spot, n int64, scratch []byte) []byte { return scratch[:n] }

func (w *weightFiles) put(at spot, data []byte) error {
	if _, err := w.files[at.part].WriteAt(data, at.begin); err != nil {
		return fmt.Errorf("%s: %w", w.paths[at.part], err)
	}
	w.followers[at.part].wrote(at.begin, int64(len(data)))
	return nil
}

// finish brings the files to the disk, waits for their hashes, and closes them.
func (w *weightFiles) finish(ctx context.Context) (sha string, err error) {
	var g errgroup.Group
	sums := make([]string, len(w.files))
	for i, f := range w.files {
		g.Go(f.Sync)
		g.Go(func() (err error) {
			if sums[i], err = w.followers[i].finish(ctx); err != nil {
				err = fmt.Errorf("%s: %w", w.paths[i], err)
			}
			return err
		})
	}
	if err := errors.Join(g.Wait(), w.close()); err != nil {
		return "", err
	}
	var of []hashed
	for i, p := range w.layout.parts {
		of = append(of, hashed{p.name, p.size, sums[i]})
	}
	return weightsHash(of), nil
}

func (w *weightFiles) close() error {
	var errs []error
	for i, f := range w.files {
		w.followers[i].abandon() // it reads the file
		errs = append(errs, f.Close())
	}
	w.files = nil
	return errors.Join(errs...)
}

// hashed is a weight file with the sha256 of its bytes.
type hashed struct {
	name string
	size int64
	sha  string
}

// weightsHash is the sha256 of a soup's weights as soup.json records it: of the
// file where there is one, else of the lines "NAME SIZE SHA256\n" of all, sorted
// by name.
func weightsHash(files []hashed) string {
	if len(files) == 1 {
		return files[0].sha
	}
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("%s %d %s\n", f.name, f.size, f.sha))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}
