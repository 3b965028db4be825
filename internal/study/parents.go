package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"soup/internal/origin"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/merge"
	"soup/merge/convert"
)

// pantry is the open checkpoints of a study: the parents as the user has them
// and as the server reads them.
type pantry struct {
	names  []string
	hashes []string
	source []*merge.Checkpoint // as given
	served []*merge.Checkpoint // as the server reads them; the same where nothing was converted
	like   *merge.Checkpoint   // a soup as the server reads it: what the buffer is laid out like
	// directories says that the server loads Hugging Face directories: parents are
	// cooked as they are, and nothing is converted.
	directories bool
	lossy       bool           // the server holds F32 matrices as F16: candidates and export differ in the last bits
	groups      merge.Grouping // of source tensors
	cooked      merge.Grouping // of served tensors
	round       func(string) merge.DType
	store       merge.DType
	base        string           // path the server loads; "" if there is no base
	baseID      string           // its content hash
	known       *merge.HashCache // hashes of earlier sessions; nil knows none
	found       merge.Findings   // about the parents
}

// openPantry opens and checks all checkpoints of a study; the weights are not
// read and nothing is written.
func openPantry(c *Config) (*pantry, error) {
	store, err := c.store()
	if err != nil {
		return nil, err
	}
	p := &pantry{store: store, directories: c.Server.Format() == serve.Directory}
	if err := p.open(c); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pantry) close() {
	for _, c := range p.source {
		_ = c.Close()
	}
	for i, c := range p.served {
		if c != p.source[i] {
			_ = c.Close()
		}
	}
	if p.like != nil && p.like != p.served[0] {
		_ = p.like.Close()
	}
}

func (p *pantry) open(c *Config) error {
	for _, parent := range c.Parents.List {
		ck, err := merge.Open(parent.Path)
		if err != nil {
			return fmt.Errorf("parent %s: %w", parent.Name, err)
		}
		if ck.Format() != merge.GGUF && ck.Path() == ck.Files()[0] {
			_ = ck.Close()
			return usage.Errorf("%s: parents: %s: a single file; the engine needs the directory with config.json and tokenizer", c.File, parent.Path)
		}
		if err := p.suits(c, "parents", ck); err != nil {
			_ = ck.Close()
			return err
		}
		p.names = append(p.names, parent.Name)
		p.source = append(p.source, ck)
	}
	base, err := openBase(c.Base)
	if err != nil {
		return err
	}
	if base != nil {
		defer base.Close()
		if err := p.suits(c, "base", base); err != nil {
			return err
		}
	}
	p.found = slices.Concat(merge.Check(p.source, base), origin.Findings(p.source))
	if err := refused(p.found); err != nil {
		return err
	}
	p.base = c.Base
	p.groups, err = c.grouping(p.source[0])
	return err
}

// suits refuses a checkpoint that the server cannot be given.
func (p *pantry) suits(c *Config, key string, ck *merge.Checkpoint) error {
	if p.directories && ck.Format() == merge.GGUF {
		return usage.Errorf("%s: %s: %s: a GGUF file; a server of kind %s reads Hugging Face directories", c.File, key, ck.Path(), c.Server.Kind)
	}
	if p.directories && ck.Path() == ck.Files()[0] {
		return usage.Errorf("%s: %s: %s: a single file; the server needs the directory with config.json and tokenizer", c.File, key, ck.Path())
	}
	return nil
}

// hash takes every checkpoint's content hash, and looks for what is not finite.
// What an earlier session has read is not read again.
func (p *pantry) hash(ctx context.Context) error {
	base, err := openBase(p.base)
	if err != nil {
		return err
	}
	all := p.source
	if base != nil {
		defer base.Close()
		all = append(slices.Clone(all), base)
	}
	hashes, err := merge.HashAll(ctx, all, p.known)
	if err != nil {
		return err
	}
	p.hashes = hashes[:len(p.source)]
	if base != nil {
		p.baseID = hashes[len(p.source)]
	}
	for _, ck := range p.source {
		found, err := p.known.Scan(ctx, ck)
		if err != nil {
			return err
		}
		p.found = append(p.found, found...)
	}
	return nil
}

func openBase(path string) (*merge.Checkpoint, error) {
	if path == "" {
		return nil, nil
	}
	return merge.Open(path)
}

// grouping divides the tensors as the study file says.
func (c *Config) grouping(like *merge.Checkpoint) (merge.Grouping, error) {
	spec := merge.GroupSpec{Layers: c.Groups.Layers, Kinds: c.Groups.Kind}
	for _, p := range c.Groups.Patterns {
		spec.Patterns = append(spec.Patterns, merge.GroupPattern{Name: p.Name, Match: p.Match})
	}
	g, err := spec.Group(tensorNames(like))
	if err != nil {
		return merge.Grouping{}, usage.Errorf("%s: groups: %s", c.File, err)
	}
	return g, nil
}

func tensorNames(c *merge.Checkpoint) []string {
	var names []string
	for _, t := range c.Tensors() {
		names = append(names, t.Name)
	}
	return names
}

// convert brings every parent into the server's format, once.
func (p *pantry) convert(ctx context.Context, c *Config, cache string) error {
	if p.directories {
		p.served, p.cooked, p.like = p.source, p.groups, p.source[0]
		return p.unpickleBase(ctx, cache)
	}
	if p.source[0].Format() == merge.GGUF {
		if p.store != merge.AsStored {
			return usage.Errorf("%s: store: GGUF parents keep their dtypes; leave it out", c.File)
		}
		p.served, p.cooked, p.like = p.source, p.groups, p.source[0]
		return nil
	}
	for i, ck := range p.source {
		converted, err := convertOne(ctx, ck, cache, p.hashes[i])
		if err != nil {
			return err
		}
		served, err := merge.Open(converted.Path)
		if err != nil {
			return err
		}
		p.served = append(p.served, served)
		if i == 0 {
			p.lossy = len(converted.Inexact) > 0
			if err := p.follow(converted); err != nil {
				return fmt.Errorf("%s: %w", c.File, err)
			}
		}
	}
	if err := p.convertBase(ctx, cache); err != nil {
		return err
	}
	return p.convertLike(ctx, cache)
}

// unpickleBase makes a copy of a base whose weights are pickled.
func (p *pantry) unpickleBase(ctx context.Context, cache string) error {
	base, err := openBase(p.base)
	if err != nil || base == nil {
		return err
	}
	defer base.Close()
	p.base, err = base.AsSafetensors(ctx, filepath.Join(cache, p.baseID+"-safetensors"))
	return err
}

func (p *pantry) convertBase(ctx context.Context, cache string) error {
	base, err := openBase(p.base)
	if err != nil || base == nil {
		return err
	}
	defer base.Close()
	converted, err := convertOne(ctx, base, cache, p.baseID)
	p.base = converted.Path
	return err
}

// convertOne converts a checkpoint; pickled weights, which the engine does not
// read, by way of a copy that stays in the cache.
func convertOne(ctx context.Context, ck *merge.Checkpoint, cache, hash string) (convert.Converted, error) {
	dir, err := ck.AsSafetensors(ctx, filepath.Join(cache, hash+"-safetensors"))
	if err != nil {
		return convert.Converted{}, err
	}
	return convert.Cache(ctx, dir, cache, hash)
}

// convertLike lays out the buffer. Where the soup is stored in another dtype
// than the parents, a copy of the first parent in that dtype is converted to
// see what the server makes of it.
func (p *pantry) convertLike(ctx context.Context, cache string) (err error) {
	p.like = p.served[0]
	same := true
	for _, t := range p.source[0].Tensors() {
		same = same && (p.store == merge.AsStored || !t.DType.Averageable() || t.DType == p.store)
	}
	if same {
		return nil
	}
	digest := p.hashes[0] + p.store.String()
	if path, ok := convert.Cached(cache, digest); ok {
		p.like, err = merge.Open(path)
		return err
	}
	dir, err := os.MkdirTemp(cache, "as-stored-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	weights := make([]float64, len(p.source))
	weights[0] = 1
	out := filepath.Join(dir, "copy")
	recipe := merge.Recipe{Weights: [][]float64{weights}}
	if _, err := merge.Write(ctx, out, p.source, p.names, recipe, merge.WriteOptions{Store: p.store}); err != nil {
		return err
	}
	converted, err := convert.Cache(ctx, out, cache, digest)
	if err != nil {
		return err
	}
	p.like, err = merge.Open(converted.Path)
	return err
}

// follow carries groups and dtypes over to the converted tensors. A converted
// vector is F32 whatever it was: it is rounded to the dtype that the delivered
// checkpoint will have, so that what is measured is what is delivered. Values
// that were shifted cannot be rounded there.
func (p *pantry) follow(c convert.Converted) error {
	p.cooked = merge.Grouping{Names: p.groups.Names, Of: map[string]int{}}
	dtypes := map[string]merge.DType{}
	var computed []string
	for _, t := range p.served[0].Tensors() {
		if len(c.Sources[t.Name]) == 0 {
			computed = append(computed, t.Name)
		}
		for k, name := range c.Sources[t.Name] {
			from, ok := p.source[0].Tensor(name)
			if !ok {
				return fmt.Errorf("tensor %s: converted from %s, which is not there", t.Name, name)
			}
			group := p.groups.Of[name]
			if k > 0 && p.cooked.Of[t.Name] != group {
				return fmt.Errorf("groups: tensors %v become one when they are converted and must be in one group", c.Sources[t.Name])
			}
			p.cooked.Of[t.Name], dtypes[t.Name] = group, from.DType
		}
	}
	p.keep(computed)
	p.round = func(tensor string) merge.DType {
		switch {
		case c.Inexact[tensor]:
			return merge.AsStored
		case p.store != merge.AsStored && dtypes[tensor] != merge.AsStored:
			return p.store
		}
		return dtypes[tensor]
	}
	return nil
}

// keep makes a group of the tensors that are not averaged because they were
// computed from the configuration: all soups have the first parent's, to the
// bit, which a sum of equal numbers is not.
func (p *pantry) keep(computed []string) {
	if len(computed) == 0 {
		if p.groups.Of == nil {
			p.cooked.Of = nil
		}
		return
	}
	if len(p.cooked.Names) == 0 {
		p.cooked.Names = []string{"all"}
	}
	p.cooked.Names = append(slices.Clone(p.cooked.Names), "computed")
	for _, t := range computed {
		p.cooked.Of[t] = len(p.cooked.Names) - 1
	}
}

// newBuffer makes the mapped file that candidates are cooked into: at path, or in
// a new directory there which it completes.
func (p *pantry) newBuffer(path string) (*merge.Buffer, error) {
	if !p.directories {
		return merge.NewBuffer(path, p.like, merge.AsStored)
	}
	if err := os.RemoveAll(path); err != nil { // of a process that was killed
		return nil, err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	if err := merge.CopySideFiles(path, p.like, p.store); err != nil {
		return nil, err
	}
	return merge.NewBuffer(filepath.Join(path, weightsName), p.like, p.store)
}

// recipe is a weighting of the parents as the server reads them.
func (p *pantry) recipe(weights [][]float64) merge.Recipe {
	if p.cooked.Len() > len(weights) {
		first := make([]float64, len(p.source))
		first[0] = 1
		weights = append(slices.Clone(weights), first)
	}
	return merge.Recipe{Groups: p.cooked, Weights: weights, Round: p.round}
}

// grouping names the groups and which tensors they have, for people and for
// comparison.
func (p *pantry) grouping() string {
	if len(p.groups.Names) == 0 {
		return "global"
	}
	h := sha256.New()
	for _, name := range tensorNames(p.source[0]) {
		fmt.Fprintln(h, name, p.groups.Of[name])
	}
	return strings.Join(p.groups.Names, ", ") + " (" + short(hex.EncodeToString(h.Sum(nil))) + ")"
}

// identity names everything about the parents and the way they are averaged
// that a score depends on.
func (p *pantry) identity() string {
	h := sha256.New()
	fmt.Fprintln(h, p.grouping(), p.store)
	for _, hash := range p.hashes {
		fmt.Fprintln(h, hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}
