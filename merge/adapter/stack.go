package adapter

import (
	"context"
	"path/filepath"
	"time"

	"soup/merge"
	"soup/merge/internal/kernel"
)

// Options say how a soup of adapters is stored and made. The zero value is
// right unless you know better.
type Options struct {
	// Store is the dtype of what is written. Default: float32 for [Stack], the
	// base's, tensor by tensor, for [Bake].
	Store merge.DType
	// EachRank makes [Stack] give each module the rank that it needs, and say so
	// in rank_pattern and alpha_pattern. That is smaller, but only readers of
	// these options, such as PEFT, take it for what it is. Default: all modules
	// have the highest rank, with zeros where they need less.
	EachRank bool
	// Workers is the number of goroutines that [Bake] computes with. Default:
	// GOMAXPROCS. The result does not depend on it.
	Workers int
	// Progress is called with the bytes written so far; see [merge.Create].
	Progress func(done, total int64)
}

// Stack makes the weighted sum of adapters as one adapter at out, a PEFT
// directory whose change is that of the package documentation. The files
// beside the weights are those of the first adapter that has a weight; in its
// configuration r and lora_alpha become the sum of the ranks. One adapter of
// weight 1 stays what it is. soup.json records names, hashes and weights. names
// are what the record calls the adapters; nil means the last elements of their
// paths.
//
// The adapters must pass [Check]. out must not exist or be an empty directory,
// and appears complete or not at all. Memory holds the matrices of one module.
func Stack(ctx context.Context, out string, adapters []*Adapter, names []string, weights []float64, o Options) (merge.Stats, error) {
	began := time.Now()
	kept, err := shares(ctx, adapters, names, weights)
	if err != nil {
		return merge.Stats{}, err
	}
	s := stack{kept: kept, store: o.Store, eachRank: o.EachRank, alone: len(kept) == 1 && kept[0].weight == 1}
	if s.store == merge.AsStored && !s.alone {
		s.store = merge.F32
	}
	c, err := s.checkpoint()
	if err != nil {
		return merge.Stats{}, err
	}
	if c.Record, err = record(ctx, s.method(), kept, nil, s.store); err != nil {
		return merge.Stats{}, err
	}
	c.Files["README.md"] = card(filepath.Base(out), *c.Record, kept[0].of.config.base)
	c.Apart = dirs(adapters)
	stats, err := merge.Create(ctx, out, c, o.Progress)
	stats.Seconds, stats.BytesRead = time.Since(began).Seconds(), bytesOf(kept)
	return stats, err
}

func dirs(adapters []*Adapter) (paths []string) {
	for _, a := range adapters {
		paths = append(paths, a.dir)
	}
	return paths
}

// bytesOf returns the size of all matrices of the adapters.
func bytesOf(kept []share) (n int64) {
	for _, s := range kept {
		n += s.of.Bytes()
	}
	return n
}

// stack is one Stack under way.
type stack struct {
	kept     []share
	store    merge.DType
	eachRank bool
	alone    bool // one adapter, as it is
	modules  []stacked
	rank     int64 // the highest
}

func (s *stack) method() string {
	if s.eachRank {
		return StackedEachRank
	}
	return Stacked
}

// stacked is one module of the soup.
type stacked struct {
	name  string
	parts []part
	rank  int64 // with the rows of zeros
}

func (s *stack) checkpoint() (c merge.NewCheckpoint, err error) {
	first := s.kept[0].of
	c = merge.NewCheckpoint{
		Weights: weightsName, Meta: map[string]string{"format": "pt"}, From: first.dir, Files: map[string][]byte{},
	}
	if s.alone {
		c.Tensors = first.copies(s.store)
		return c, nil
	}
	if err := s.plan(); err != nil {
		return c, err
	}
	for _, m := range s.modules {
		c.Tensors = append(c.Tensors, merge.NewTensor{
			Name: tensorA(m.name), DType: s.store, Shape: []int64{m.rank, m.parts[0].module.In}, Fill: func(dst []byte) error { return m.down(dst, s.store) },
		}, merge.NewTensor{
			Name: tensorB(m.name), DType: s.store, Shape: []int64{m.parts[0].module.Out, m.rank}, Fill: func(dst []byte) error { return m.up(dst, s.store) },
		})
	}
	c.Files[configName], err = s.config()
	return c, err
}

// copies are the tensors as they are, but for the dtype.
func (a *Adapter) copies(store merge.DType) (tensors []merge.NewTensor) {
	for _, t := range a.weights.Tensors() {
		d := t.DType
		if store != merge.AsStored {
			d = store
		}
		tensors = append(tensors, merge.NewTensor{Name: t.Name, DType: d, Shape: t.Shape, Fill: func(dst []byte) error {
			data, err := a.weights.Bytes(t.Name)
			if d == t.DType {
				copy(dst, data)
			} else if err == nil {
				convert(dst, data, t.DType, d)
			}
			return err
		}})
	}
	return tensors
}

// plan finds the modules of the soup and their ranks.
func (s *stack) plan() error {
	for _, name := range union(s.adapters()) {
		parts, err := partsOf(name, s.kept)
		if err != nil {
			return err
		}
		s.modules = append(s.modules, stacked{name, parts, rank(parts)})
		s.rank = max(s.rank, rank(parts))
	}
	if !s.eachRank {
		for i := range s.modules {
			s.modules[i].rank = s.rank
		}
	}
	return nil
}

// adapters returns those that have a weight.
func (s *stack) adapters() (of []*Adapter) {
	for _, k := range s.kept {
		of = append(of, k.of)
	}
	return of
}

// down writes the rows of all A below each other.
func (m stacked) down(dst []byte, store merge.DType) error {
	clear(dst)
	for _, p := range m.parts {
		data, d, err := p.down()
		if err != nil {
			return err
		}
		n := p.module.Rank * p.module.In * store.Size()
		convert(dst[:n], data, d, store)
		dst = dst[n:]
	}
	return nil
}

// up writes the columns of all scaled B beside each other.
func (m stacked) up(dst []byte, store merge.DType) error {
	out, at := m.parts[0].module.Out, int64(0)
	all := make([]float32, out*m.rank)
	for _, p := range m.parts {
		values, err := p.up()
		if err != nil {
			return err
		}
		r := p.module.Rank
		for i := range out {
			copy(all[i*m.rank+at:][:r], values[i*r:])
		}
		at += r
	}
	kernel.Round(dst, all, kernel.Type(store))
	return nil
}
