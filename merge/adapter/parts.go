package adapter

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"

	"soup/merge"
	"soup/merge/internal/kernel"
	"soup/merge/internal/remedy"
)

// part is one adapter's share of a module's change.
type part struct {
	of     *Adapter
	module Module
	factor float64 // w*s
}

// share is an adapter with its weight.
type share struct {
	of     *Adapter
	name   string
	weight float64
}

// shares checks names and weights, and leaves out adapters of weight 0.
func shares(ctx context.Context, adapters []*Adapter, names []string, weights []float64) ([]share, error) {
	found, err := Check(ctx, adapters)
	if err == nil {
		err = found.Err()
	}
	if err != nil {
		return nil, err
	}
	if names == nil {
		for _, a := range adapters {
			names = append(names, filepath.Base(filepath.Clean(a.dir)))
		}
	}
	if len(names) != len(adapters) || len(weights) != len(adapters) {
		return nil, fmt.Errorf("%d names and %d weights for %d adapters", len(names), len(weights), len(adapters))
	}
	var kept []share
	for i, a := range adapters {
		if w := weights[i]; math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("the weight of %s is %v, not a finite number", names[i], w)
		}
		if weights[i] != 0 {
			kept = append(kept, share{a, names[i], weights[i]})
		}
	}
	if len(kept) == 0 {
		return nil, remedy.Errorf("give one adapter another weight", "all weights are 0")
	}
	return kept, nil
}

// partsOf returns what changes a module, in the order of the adapters.
func partsOf(module string, kept []share) (parts []part, err error) {
	for _, s := range kept {
		m, ok := s.of.Module(module)
		if !ok {
			continue
		}
		p := part{s.of, m, s.weight * m.Scale}
		if math.IsInf(float64(float32(p.factor)), 0) {
			return nil, remedy.Errorf("use smaller weights", "%s: module %s: weight %v times lora_alpha's factor %v is too large", s.name, module, s.weight, m.Scale)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func rank(parts []part) (r int64) {
	for _, p := range parts {
		r += p.module.Rank
	}
	return r
}

// down returns A, as stored.
func (p part) down() ([]byte, merge.DType, error) { return p.tensor(tensorA(p.module.Name)) }

// up returns B times the factor, rounded to float32.
func (p part) up() ([]float32, error) {
	data, d, err := p.tensor(tensorB(p.module.Name))
	if err != nil {
		return nil, err
	}
	values := floats(data, d)
	for i, x := range values {
		values[i] = float32(p.factor * float64(x))
	}
	return values, nil
}

func (p part) tensor(name string) ([]byte, merge.DType, error) {
	data, err := p.of.weights.Bytes(name)
	if err != nil {
		return nil, merge.AsStored, fmt.Errorf("tensor %s: %w", name, err)
	}
	t, _ := p.of.weights.Tensor(name)
	return data, t.DType, nil
}

// floats widens elements to float32, which holds all exactly.
func floats(data []byte, d merge.DType) []float32 {
	wide := make([]byte, int64(len(data))/d.Size()*4)
	convert(wide, data, d, merge.F32)
	values := make([]float32, len(wide)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(wide[4*i:]))
	}
	return values
}

// convert rounds elements to another dtype.
func convert(dst, data []byte, from, to merge.DType) {
	if len(dst) > 0 {
		kernel.Sum(dst, []kernel.Operand{{Data: data, Type: kernel.Type(from), Weight: 1}}, kernel.None, kernel.Type(to))
	}
}
