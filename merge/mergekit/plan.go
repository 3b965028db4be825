package mergekit

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"soup/merge"
	"soup/merge/internal/remedy"
	"soup/merge/method"
)

// term is what one tensor is made of.
type term struct {
	config Config
	tensor string
	slice  Slice
	t      float64 // depth in the slice
}

// before matches tensors in front of the layers, which mergekit's lists of
// architectures (mergekit/_data/architectures) have as pre_weights.
var before = regexp.MustCompile(`embed|embd|\.?wte\.|\.?wpe\.|relative_pe|rotary_pos_emb`)

// plan finds each tensor's slice and depth, as plan_module and plan_slice of
// mergekit/plan.py: what lies in front of the layers belongs to the first slice
// and what lies behind them to the last, both at depth 0.
func (c Config) plan(tensors []string) ([]term, error) {
	layers := method.LayersOf(tensors)
	if err := c.fits(layers); err != nil {
		return nil, err
	}
	terms := make([]term, len(tensors))
	for i, name := range tensors {
		layer, inside := layers.Of[name]
		switch {
		case inside:
			terms[i] = c.inLayer(layer, layers.Count)
		case before.MatchString(name) && !strings.Contains(name, "embed_out"):
			terms[i].slice = c.Slices[0]
		default:
			terms[i].slice = c.Slices[len(c.Slices)-1]
		}
		terms[i].config, terms[i].tensor = c, name
	}
	return terms, nil
}

// inLayer finds the slice of a layer.
func (c Config) inLayer(layer, count int) term {
	for _, s := range c.Slices {
		begin, end := s.Sources[0].Begin, s.Sources[0].End
		if end == 0 {
			end = count
		}
		if layer < end {
			return term{slice: s, t: method.Depth(layer-begin, end-begin)}
		}
	}
	panic("fits has let a layer pass that is in no slice")
}

// fits checks the slices against the layers that there are.
func (c Config) fits(layers method.Layers) error {
	end := c.Slices[len(c.Slices)-1].Sources[0].End
	switch {
	case end != 0 && end != layers.Count:
		return remedy.Errorf("let the slices cover all layers", "%s: the slices end at layer %d, the models have %d", c.File, end, layers.Count)
	case len(layers.Stacks) > 1 && (end != 0 || c.gradients()):
		return remedy.Errorf("use single values and filters", "%s: gradients and slices are not supported for models with several stacks of layers (%s, %s)", c.File, layers.Stacks[0], layers.Stacks[1])
	}
	return nil
}

// find evaluates a parameter: the model's own setting, the slice's, the
// recipe's; the first that has a value for the tensor holds.
func (t term) find(s spec, source *Source) (float64, bool) {
	levels := []Parameters{t.slice.Parameters, t.config.Parameters}
	if source != nil {
		levels = append([]Parameters{source.Parameters}, levels...)
	}
	for _, level := range levels {
		if values := level[s.name].find(t.tensor); values != nil {
			return s.value(values, t.t), true
		}
	}
	return 0, false
}

// shared evaluates a parameter of all models together.
func (t term) shared(name string, otherwise float64) float64 {
	i := slices.IndexFunc(methods[t.config.Method], func(s spec) bool { return s.name == name })
	if x, ok := t.find(methods[t.config.Method][i], nil); ok {
		return x
	}
	return otherwise
}

// weight evaluates the weight of a model.
func (t term) weight(source Source) (float64, error) {
	w, ok := t.find(weight, &source)
	if !ok {
		hint := "give it one, or a parameters: weight: at the top"
		if source.Model == t.config.Base {
			hint = "the base takes part in merge_method " + t.config.Method + ": give it a weight, or leave base_model out"
		}
		return 0, remedy.Errorf(hint, "%s: model %s has no weight for tensor %s", t.config.File, source.Model, t.tensor)
	}
	return w, nil
}

// others returns the sources besides the base.
func (t term) others() []Source {
	base := t.config.base(t.slice)
	return slices.DeleteFunc(slices.Clone(t.slice.Sources), func(s Source) bool { return s.Model == base })
}

// rows returns the weights of every tensor, by path.
func (c Config) rows(ctx context.Context, terms []term, paths []string, open map[string]*merge.Checkpoint) ([][]float64, error) {
	products, err := c.products(ctx, terms, open)
	if err != nil {
		return nil, err
	}
	rows := make([][]float64, len(terms))
	for i, t := range terms {
		by, err := t.weights(products[i])
		if err != nil {
			return nil, err
		}
		rows[i] = make([]float64, len(paths))
		sum := 0.0
		for k, path := range paths {
			rows[i][k] = by[path]
			sum += by[path]
		}
		if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
			return nil, fmt.Errorf("%s: tensor %s: the weights sum to %v", c.File, t.tensor, sum)
		}
	}
	return rows, nil
}

// products makes the pass over the tensors that slerp and model_stock need.
func (c Config) products(ctx context.Context, terms []term, open map[string]*merge.Checkpoint) ([][][]float64, error) {
	families := make([]method.Family, len(terms))
	for i, t := range terms {
		base := open[c.base(t.slice)]
		switch c.Method {
		case "slerp":
			families[i] = method.Family{Tensor: t.tensor, Of: []*merge.Checkpoint{base}}
		case "model_stock":
			families[i] = method.Family{Tensor: t.tensor, Origin: base}
		default:
			return make([][][]float64, len(terms)), nil
		}
		for _, s := range t.others() {
			families[i].Of = append(families[i].Of, open[s.Model])
		}
	}
	return method.Products(ctx, families, 0)
}

// weights returns a tensor's weights by path.
func (t term) weights(products [][]float64) (map[string]float64, error) {
	switch t.config.Method {
	case "linear":
		return t.linear()
	case "task_arithmetic":
		return t.arithmetic()
	case "slerp":
		// The base is at 0; t has no default.
		at := t.shared("t", math.NaN())
		if math.IsNaN(at) {
			return nil, remedy.Errorf("give it under parameters, at the top", "%s: no t for tensor %s", t.config.File, t.tensor)
		}
		w := method.SlerpWeights(products, at)
		return map[string]float64{t.config.base(t.slice): w[0], t.others()[0].Model: w[1]}, nil
	}
	if t.shared("filter_wise", 0) != 0 {
		return nil, remedy.Errorf("leave filter_wise out: soup's model-stock has one angle a tensor", "%s: filter_wise gives each row of a tensor weights of its own, which is not supported", t.config.File)
	}
	others := t.others()
	return t.spread(others, method.StockWeights(products, len(others))), nil
}

// linear is the weighted mean of mergekit/merge_methods/linear.py.
func (t term) linear() (map[string]float64, error) {
	by, sum := map[string]float64{}, 0.0
	for _, s := range t.slice.Sources {
		w, err := t.weight(s)
		if err != nil {
			return nil, err
		}
		by[s.Model] = w
		sum += w
	}
	if sum == 0 || t.shared("normalize", 1) == 0 {
		return by, nil
	}
	for model := range by {
		by[model] /= sum
	}
	return by, nil
}

// arithmetic is task_arithmetic of
// mergekit/merge_methods/generalized_task_arithmetic.py.
func (t term) arithmetic() (map[string]float64, error) {
	others := t.others()
	w := make([]float64, len(others))
	sum := 0.0
	for i, s := range others {
		var err error
		if w[i], err = t.weight(s); err != nil {
			return nil, err
		}
		sum += w[i]
	}
	lambda := t.shared("lambda", 1)
	if t.shared("normalize", 0) != 0 && math.Abs(sum) >= 1e-8 {
		lambda /= sum
	}
	return t.spread(others, method.TaskArithmetic(w, lambda)), nil
}

// spread names the weights of models and, last, of the base.
func (t term) spread(models []Source, w []float64) map[string]float64 {
	by := map[string]float64{t.config.base(t.slice): w[len(models)]}
	for i, s := range models {
		by[s.Model] = w[i]
	}
	return by
}
