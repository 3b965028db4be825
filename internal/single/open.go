package single

import (
	"os"
	"path/filepath"
	"slices"

	"soup/merge"
)

func names(paths []string) []string {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = filepath.Base(filepath.Clean(p))
	}
	return list
}

// Reading says how checkpoints are read.
type Reading struct {
	NoMmap     bool // piece by piece, for network file systems
	Dequantise bool // Q8_0 tensors of GGUF files as what they stand for
}

func (r Reading) open(path string) (*merge.Checkpoint, error) {
	return merge.OpenWith(path, merge.OpenOptions{Unmapped: r.NoMmap, Dequantise: r.Dequantise})
}

func (r Reading) openAll(paths []string) (parents []*merge.Checkpoint, err error) {
	for _, path := range paths {
		c, err := r.open(path)
		if err != nil {
			return parents, err
		}
		parents = append(parents, c)
	}
	return parents, nil
}

// sameFile returns the index of the path that leads to the same file or
// directory, -1 if none does.
func sameFile(path string, paths []string) int {
	one, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(paths, func(p string) bool {
		other, err := os.Stat(p)
		return err == nil && os.SameFile(one, other)
	})
}

func closeAll(parents []*merge.Checkpoint) {
	for _, p := range parents {
		_ = p.Close()
	}
}
