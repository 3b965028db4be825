package merge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"soup/merge/internal/remedy"
	"soup/merge/internal/torchfile"
)

// The names that transformers gives to pickled weights.
const (
	torchName      = "pytorch_model.bin"
	torchIndexName = "pytorch_model.bin.index.json"
)

// torchSuffixes end the names of what torch.save wrote.
var torchSuffixes = []string{".bin", ".pt", ".pth"}

func isTorch(name string) bool { return slices.Contains(torchSuffixes, filepath.Ext(name)) }

// openTorch opens one file that torch.save wrote and adds its tensors.
func (c *Checkpoint) openTorch(path string) error {
	if err := wholeModel(path); err != nil {
		return err
	}
	l, err := listTorch(path)
	if err != nil {
		return err
	}
	return c.addTorch(l, path, filepath.Base(path))
}

// openTorches opens files of a directory. As many child processes read them at
// once as there are processors.
func (c *Checkpoint) openTorches(dir string, names []string) error {
	found := make([]torchListing, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		path := filepath.Join(dir, name)
		g.Go(func() (err error) {
			if err = staysInside(dir, path); err == nil {
				found[i], err = listTorch(path)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, name := range names {
		if err := c.addTorch(found[i], filepath.Join(dir, name), name); err != nil {
			return err
		}
	}
	return nil
}

// torchListing is what a child process found in a file, and which file it was.
type torchListing struct {
	tensors []torchfile.Tensor
	info    os.FileInfo
}

// listTorch has a child process read a file's pickle.
func listTorch(path string) (torchListing, error) {
	f, err := os.Open(path)
	if err != nil {
		return torchListing{}, remedy.Opening(path, err)
	}
	defer f.Close()
	tensors, err := torchfile.List(context.Background(), f)
	if err != nil {
		return torchListing{}, err
	}
	info, err := f.Stat()
	return torchListing{tensors, info}, err
}

// addTorch maps a file and adds the tensors that it was found to have: the
// weights lie uncompressed in it.
func (c *Checkpoint) addTorch(l torchListing, path, name string) error {
	c.format, c.meta = Torch, map[string]string{"format": "pt"} // without which transformers reads no safetensors file
	file, err := c.openFile(path, name)
	if err != nil {
		return err
	}
	if !os.SameFile(l.info, file.info) || l.info.Size() != file.size() || !l.info.ModTime().Equal(file.info.ModTime()) {
		return remedy.Errorf("try again when nothing writes it", "%s: was replaced while it was read", path)
	}
	for _, t := range l.tensors {
		if err := c.addTorchTensor(file, t); err != nil {
			return remedy.Errorf("download the checkpoint again", "%s: %w", path, err)
		}
	}
	return nil
}

// addTorchTensor adds one of them.
func (c *Checkpoint) addTorchTensor(file *mapping, t torchfile.Tensor) error {
	shape := make([]uint64, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = uint64(d)
	}
	described, err := declared(t.Name, t.DType, shape, uint64(t.Bytes))
	if err == nil && (t.Offset < 0 || t.Offset > file.size()-t.Bytes) {
		err = fmt.Errorf("tensor %q goes beyond the end of the file", t.Name)
	}
	if err != nil {
		return err
	}
	return c.add(described, place{file: file, begin: t.Offset, stored: t.Bytes})
}

// dropTied leaves out all names but the first of tensors that are the same
// bytes of one file, where the configuration ties embeddings (or, as
// transformers has it, does not say that it does not). It is what transformers
// leaves out of safetensors, so that both kinds of parents have the same names.
func (c *Checkpoint) dropTied(dir string) error {
	id := identity{shape: map[string]string{}, behaviour: map[string]string{}, special: map[string]string{}, loose: map[string]string{}}
	if err := id.readConfig(dir); err != nil || len(id.shape) == 0 || id.tied == "false" {
		return err
	}
	tensors, places, seen := c.tensors, c.places, map[place]bool{}
	c.tensors, c.places, c.index = nil, nil, map[string]int{}
	for i, t := range tensors {
		at := places[i]
		if seen[at] && at.stored > 0 {
			c.tied = append(c.tied, t.Name)
			continue
		}
		seen[at] = true
		if err := c.add(t, at); err != nil {
			return err
		}
	}
	return nil
}

var partName = regexp.MustCompile(`^consolidated\.\d+\.pth$`)

// wholeModel refuses one part of weights that are split along their tensors
// among several files, as Meta's reference code has them.
func wholeModel(path string) error {
	if !partName.MatchString(filepath.Base(path)) {
		return nil
	}
	parts, err := filepath.Glob(filepath.Join(globQuote(filepath.Dir(path)), "consolidated.[0-9]*.pth"))
	if err != nil || len(parts) < 2 {
		return err
	}
	return remedy.Errorf("convert the model to the Hugging Face format first", "%s: one of %d parts, each with a slice of every tensor", path, len(parts))
}

// AsSafetensors returns a directory that holds the checkpoint as safetensors,
// for readers that know nothing else: the checkpoint's own path unless its
// format is [Torch], else out, into which a soup of it alone is written. Where
// out exists it is taken for that, so its name should hold the content's hash.
func (c *Checkpoint) AsSafetensors(ctx context.Context, out string) (string, error) {
	if c.format != Torch {
		return c.path, nil
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return out, nil
	}
	_, err := Write(ctx, out, []*Checkpoint{c}, nil, Recipe{Weights: [][]float64{{1}}}, WriteOptions{Method: "copy"})
	return out, err
}
