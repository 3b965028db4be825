package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"soup/merge"
)

// kitchen holds the files that candidates are cooked into. A server may have the
// file of its present candidate mapped, or read it when it answers: that file is
// never written to. With two pots the next candidate goes into the other one,
// which the server let go of when it loaded the present one. A server that copies
// what it loads needs one.
type kitchen struct {
	pantry *pantry
	pots   []*pot
}

// pot is one mapped file, and what a server loads of it.
type pot struct {
	buffer *merge.Buffer
	path   string // the file, or the directory that it completes
	key    string // of the candidate whose weights it holds; "" for none
}

// newKitchen makes the pots, in the study's folder.
func newKitchen(dir string, p *pantry, pots int) (*kitchen, error) {
	k := &kitchen{pantry: p}
	for _, name := range potNames(dir, p)[:pots] {
		buffer, err := p.newBuffer(name)
		if err != nil {
			return nil, errors.Join(err, k.close())
		}
		k.pots = append(k.pots, &pot{buffer: buffer, path: name})
	}
	return k, nil
}

// potNames are the paths of all pots that a study may have.
func potNames(dir string, p *pantry) []string {
	if p.directories {
		return []string{filepath.Join(dir, directoryName), filepath.Join(dir, directoryName+"-2")}
	}
	return []string{filepath.Join(dir, bufferName+".gguf"), filepath.Join(dir, bufferName+"-2.gguf")}
}

// cook puts a candidate's weights into a pot that the server does not have and
// returns what to load. A pot that has them already is left as it is.
func (k *kitchen) cook(ctx context.Context, c candidate, served string) (string, error) {
	for _, p := range k.pots {
		if p.key == c.key {
			return p.path, nil
		}
	}
	free := k.pots[0]
	if len(k.pots) > 1 && free.path == served {
		free = k.pots[1]
	}
	return free.path, k.fill(ctx, free, c)
}

// fill overwrites a pot. After an error it holds a mix that is no candidate.
func (k *kitchen) fill(ctx context.Context, p *pot, c candidate) error {
	p.key = ""
	if _, err := p.buffer.Cook(ctx, k.pantry.served, k.pantry.recipe(c.weights)); err != nil {
		return err
	}
	p.key = c.key
	return nil
}

// at is the pot of a path; nil if it is none.
func (k *kitchen) at(path string) *pot {
	for _, p := range k.pots {
		if p.path == path {
			return p
		}
	}
	return nil
}

func (k *kitchen) close() error {
	var failed error
	for _, p := range k.pots {
		failed = errors.Join(failed, p.buffer.Close())
		if k.pantry.directories {
			failed = errors.Join(failed, os.RemoveAll(p.path))
		}
	}
	return failed
}
