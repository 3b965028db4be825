package mergekit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"soup/merge"
	"soup/merge/internal/remedy"
	"soup/merge/method"
)

// Soup carries the recipe out as far as weights go. open opens a model by the
// path that the recipe has; out is the dtype to store the soup in, AsStored
// where the recipe names none. The base model, or the first, is the first
// parent: the soup gets its configuration and tokenizer. Models whose layers
// are read to find weights must fit together; [merge.Write] checks the rest.
//
// After an error no checkpoint stays open; else closing them is the caller's.
func (c Config) Soup(ctx context.Context, open func(path string) (*merge.Checkpoint, error)) (s method.Soup, out merge.DType, err error) {
	paths := c.models()
	defer func() {
		if err != nil {
			for _, p := range s.Parents {
				err = errors.Join(err, p.Close())
			}
			s = method.Soup{}
		}
	}()
	for _, path := range paths {
		p, err := open(path)
		if err != nil {
			return s, out, absent(path, err)
		}
		s.Parents = append(s.Parents, p)
	}
	s.Names, s.Method = names(paths), "mergekit "+c.Method
	if out = c.OutDType; out == merge.AsStored {
		out = c.DType
	}
	s.Recipe, err = c.recipe(ctx, paths, s.Parents)
	return s, out, err
}

// Reads says whether [Config.Soup] reads all tensors to find the weights, which
// takes as long as making the soup.
func (c Config) Reads() bool { return c.Method == "slerp" || c.Method == "model_stock" }

// models returns the paths of all models, the base or else the first in front.
func (c Config) models() []string {
	var paths []string
	add := func(path string) {
		if path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	add(c.Base)
	for _, s := range c.Slices {
		for _, source := range s.Sources {
			add(source.Model)
		}
	}
	return paths
}

// names returns the last elements of paths, numbered where they repeat.
func names(paths []string) []string {
	var list []string
	for _, path := range paths {
		name := filepath.Base(filepath.Clean(path))
		for n := 2; slices.Contains(list, name); n++ {
			name = fmt.Sprintf("%s-%d", filepath.Base(filepath.Clean(path)), n)
		}
		list = append(list, name)
	}
	return list
}

var hubID = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[\w.-]+$`)

// absent words the error of a model that is not on the disk.
func absent(path string, err error) error {
	if _, e := os.Stat(path); errors.Is(e, fs.ErrNotExist) && hubID.MatchString(path) {
		return remedy.Errorf("download it first (hf download "+path+" --local-dir DIR) and write the folder's path",
			"%s: no such folder; models are not fetched from Hugging Face", path)
	}
	return err
}

// recipe finds the weights of every tensor.
func (c Config) recipe(ctx context.Context, paths []string, parents []*merge.Checkpoint) (merge.Recipe, error) {
	if parents[0].Format() == merge.GGUF && c.filters() {
		return merge.Recipe{}, remedy.Errorf("give the checkpoints in safetensors", "%s: filters are parts of Hugging Face's tensor names, and %s is GGUF", c.File, parents[0].Path())
	}
	var tensors []string
	for _, t := range parents[0].Tensors() {
		tensors = append(tensors, t.Name)
	}
	terms, err := c.plan(tensors)
	if err != nil {
		return merge.Recipe{}, err
	}
	byPath := map[string]*merge.Checkpoint{}
	for i, path := range paths {
		byPath[path] = parents[i]
	}
	rows, err := c.rows(ctx, terms, paths, byPath)
	if err != nil {
		return merge.Recipe{}, err
	}
	return method.Rows(tensors, rows), nil
}

// filters says whether any parameter depends on tensors' names.
func (c Config) filters() bool {
	for _, p := range c.levels() {
		for _, setting := range p {
			if slices.ContainsFunc(setting, func(c Condition) bool { return c.Filter != "" && c.Filter != "*" }) {
				return true
			}
		}
	}
	return false
}

// gradients says whether any parameter depends on the layer.
func (c Config) gradients() bool {
	for _, p := range c.levels() {
		for _, setting := range p {
			if slices.ContainsFunc(setting, func(c Condition) bool { return len(c.Values) > 1 }) {
				return true
			}
		}
	}
	return false
}

// levels returns all parameters there are.
func (c Config) levels() []Parameters {
	all := []Parameters{c.Parameters}
	for _, s := range c.Slices {
		all = append(all, s.Parameters)
		for _, source := range s.Sources {
			all = append(all, source.Parameters)
		}
	}
	return all
}
