package merge

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// checker compares one checkpoint with the first parent.
type checker struct {
	first, other     *Checkpoint
	firstID, otherID identity
	isBase           bool
	found            Findings
}

// Check compares the parents, and the base if it is not nil, with the first
// parent and returns everything that speaks against averaging them. It reads
// headers, configuration and tokenizer files; of the weights only integer
// tensors, a sample of each tensor, and all of parents whose samples are equal.
func Check(parents []*Checkpoint, base *Checkpoint) Findings {
	if len(parents) == 0 {
		return Findings{{Code: "parents", Severity: Refuse, Message: "no parents given", Remedy: "give one checkpoint or more"}}
	}
	firstID, findings := inspect(parents[0])
	findings = append(findings, routers(parents[0])...)
	findings = append(findings, statistics(parents[0])...)
	others := slices.Clone(parents[1:])
	if base != nil {
		others = append(others, base)
	}
	each := make([]Findings, len(others))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0)) // or twenty tokenizers are in memory at once
	for i, other := range others {
		g.Go(func() error {
			id, own := inspect(other)
			c := checker{first: parents[0], other: other, firstID: firstID, otherID: id, isBase: i >= len(parents)-1}
			each[i] = append(own, c.run()...)
			return nil
		})
	}
	_ = g.Wait() // what is wrong is in the findings
	findings = append(findings, slices.Concat(each...)...)
	if findings.Err() == nil {
		findings = append(findings, twins(append(slices.Clone(parents), others[len(parents)-1:]...))...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
	return unique(findings)
}

// unique drops repetitions: a broken first parent is met in every comparison.
func unique(findings Findings) Findings {
	seen := map[Finding]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		again := seen[f]
		seen[f] = true
		return again
	})
}

func rank(severity string) int { return slices.Index([]string{Refuse, Warn, Note}, severity) }

// run makes every comparison; a fault while reading becomes a finding.
func (c *checker) run() Findings {
	if c.first.format.Soup() != c.other.format.Soup() {
		c.refuse("format", "give all parents in one format", "a %s checkpoint, but %s is %s", c.other.format, c.first.path, c.first.format)
		return c.found
	}
	c.compareValues("architecture", c.firstID.shape, c.otherID.shape, Refuse, "average only checkpoints of one architecture")
	c.compareValues("config", c.firstID.behaviour, c.otherID.behaviour, Warn, "the soup gets the first parent's value")
	c.compareTied()
	c.compareSpecials()
	c.compareTokenizers()
	c.compareTensors()
	if c.firstID.template != c.otherID.template {
		c.add(Warn, "chat-template", "", "use one chat template; the soup gets the first parent's", "chat template differs from %s", c.first.path)
	}
	return c.found
}

func (c *checker) add(severity, code, tensor, remedy, format string, args ...any) {
	c.found = append(c.found, Finding{code, severity, c.other.path, tensor, fmt.Sprintf(format, args...), remedy})
}

func (c *checker) refuse(code, remedy, format string, args ...any) {
	c.add(Refuse, code, "", remedy, format, args...)
}

// compareValues reports keys that both sides give with different values.
func (c *checker) compareValues(code string, first, other map[string]string, severity, remedy string) {
	for _, k := range sortedKeys(first) {
		if v, ok := other[k]; ok && v != first[k] {
			c.add(severity, code, "", remedy, "%s is %s, but %s in %s", k, v, first[k], c.first.path)
		}
	}
}

// compareTied refuses tied beside untied embeddings: the soup's head would be
// an average of a head with nothing.
func (c *checker) compareTied() {
	const remedy = "save all parents with the same tie_word_embeddings"
	if a, b := c.firstID.tied, c.otherID.tied; a != "" && b != "" && a != b {
		c.refuse("tied-embeddings", remedy, "tie_word_embeddings is %s, but %s in %s", b, a, c.first.path)
	}
	a, b := head(c.first), head(c.other)
	switch {
	case a != "" && b == "":
		c.add(Refuse, "tied-embeddings", a, remedy, "no %s, but %s has one", a, c.first.path)
	case a == "" && b != "":
		c.add(Refuse, "tied-embeddings", b, remedy, "has %s, but %s has none", b, c.first.path)
	}
}

var headName = regexp.MustCompile(`^(.*\.)?(lm_head|embed_out|output)\.weight$`)

// head returns the name of the output projection; GGUF calls it output.weight.
func head(c *Checkpoint) string {
	for _, t := range c.tensors {
		if headName.MatchString(t.Name) && !strings.Contains(t.Name, "layers.") && !strings.Contains(t.Name, "blk.") {
			return t.Name
		}
	}
	return ""
}

// compareTensors compares names, types, shapes, and the content of tensors
// that are copied.
func (c *checker) compareTensors() {
	var missing, extra, shapes, types, copies []string
	mixed := 0
	for _, a := range c.first.tensors {
		b, ok := c.other.Tensor(a.Name)
		switch {
		case !ok && a.Name != head(c.first):
			missing = append(missing, a.Name)
		case !ok:
		case !slices.Equal(a.Shape, b.Shape):
			shapes = append(shapes, a.Name)
		case a.DType == Quantised || b.DType == Quantised: // inspect has refused it
		case !b.DType.fits(a.DType):
			types = append(types, a.Name)
		case a.DType != b.DType:
			mixed++
		case !a.DType.Averageable() && !c.same(a.Name):
			copies = append(copies, a.Name)
		}
	}
	for _, b := range c.other.tensors {
		if _, ok := c.first.index[b.Name]; !ok && b.Name != head(c.other) {
			extra = append(extra, b.Name)
		}
	}
	c.reportTensors(missing, extra, shapes, types, copies)
	if mixed > 0 {
		c.add(Note, "mixed-dtypes", "", "", "%d tensors are stored in another float type than in %s; sums are made in float32", mixed, c.first.path)
	}
}

// reportTensors turns lists of tensors into findings.
func (c *checker) reportTensors(missing, extra, shapes, types, copies []string) {
	first := c.first.path
	f := Finding{Severity: Refuse, Parent: c.other.path, Remedy: "average only checkpoints of one architecture"}
	f.Code = "tensor-names"
	c.found = append(c.found, listed(f, missing, func(t string) string { return fmt.Sprintf("no tensor %s, but %s has it", t, first) })...)
	c.found = append(c.found, listed(f, extra, func(t string) string { return fmt.Sprintf("tensor %s is not in %s", t, first) })...)
	f.Code = "shape"
	c.found = append(c.found, listed(f, shapes, func(t string) string {
		a, _ := c.first.Tensor(t)
		b, _ := c.other.Tensor(t)
		return fmt.Sprintf("tensor %s has shape %v, but %v in %s", t, b.Shape, a.Shape, first)
	})...)
	f.Code, f.Remedy = "dtype", "save both with the same dtype"
	c.found = append(c.found, listed(f, types, func(t string) string {
		a, _ := c.first.Tensor(t)
		b, _ := c.other.Tensor(t)
		return fmt.Sprintf("tensor %s is %s, but %s in %s", t, b.Stored, a.Stored, first)
	})...)
	f.Code, f.Remedy = "copied-tensors", "save it as float32 if it is a weight, or copy it from one parent if it is not"
	c.found = append(c.found, listed(f, copies, func(t string) string {
		a, _ := c.first.Tensor(t)
		return fmt.Sprintf("tensor %s (%s) is copied, not averaged, but differs from %s", t, a.Stored, first)
	})...)
}

// same compares one tensor's bytes.
func (c *checker) same(name string) bool {
	equal := false
	err := guarded(mappings([]*Checkpoint{c.first, c.other}), func() error {
		i, j := c.first.index[name], c.other.index[name]
		equal = c.first.tensors[i].bytes == c.other.tensors[j].bytes && c.first.equalTensor(i, c.other, j, 0, c.first.tensors[i].Elements())
		return nil
	})
	return equal && err == nil
}

var packedName = regexp.MustCompile(`\.(qweight|qzeros|weight_packed|weight_scale_inv|absmax|quant_state\..*)$`)

// inspect reads a checkpoint's identity and finds what needs no comparison.
func inspect(c *Checkpoint) (identity, Findings) {
	var found Findings
	id, err := c.identify()
	if err != nil {
		found = append(found, Finding{"config", Refuse, c.path, "", strings.TrimPrefix(err.Error(), c.path+"/"), "repair or replace the file"})
	}
	if c.format.Soup() == Safetensors && len(id.shape) == 0 && err == nil {
		found = append(found, Finding{"config", Note, c.path, "", "no config.json: architecture and tokenizer were not compared", ""})
	}
	found = append(found, listed(Finding{Code: "tied-names", Severity: Note, Parent: c.path}, c.tied, func(name string) string {
		return fmt.Sprintf("tensor %s is another name for the bytes of a tensor before it, and is left out", name)
	})...)
	if id.quantised != "" {
		found = append(found, Finding{"quantised", Refuse, c.path, "", "quantised: config.json has a " + id.quantised, quantisedRemedy("")})
	}
	var packed []string
	for _, t := range c.tensors {
		if t.DType == Quantised || packedName.MatchString(t.Name) {
			packed = append(packed, t.Name)
		}
	}
	f := Finding{Code: "quantised", Severity: Refuse, Parent: c.path, Remedy: quantisedRemedy("")}
	if len(packed) > 0 {
		f.Remedy = quantisedRemedy(c.tensors[c.index[packed[0]]].Stored)
	}
	return id, append(found, listed(f, packed, func(name string) string {
		t, _ := c.Tensor(name)
		return fmt.Sprintf("tensor %s is quantised (%s)", name, t.Stored)
	})...)
}

var routerName = regexp.MustCompile(`(router\.|\.gate\.weight$|ffn_gate_inp\.)`)

// routers warns of mixture-of-experts models: averages of separately tuned
// ones route tokens to the wrong experts (https://arxiv.org/abs/2606.03391).
func routers(c *Checkpoint) Findings {
	var name string
	experts := false
	for _, t := range c.tensors {
		experts = experts || strings.Contains(t.Name, "expert") || strings.Contains(t.Name, "_exps.")
		if name == "" && routerName.MatchString(t.Name) {
			name = t.Name
		}
	}
	if !experts || name == "" {
		return nil
	}
	return Findings{{
		"moe-routers", Warn, c.path, name, "mixture of experts: averaging routers (" + name + ") of separate fine-tunes often fails",
		"average checkpoints of one run, or give routers a group of their own",
	}}
}

var statisticsName = regexp.MustCompile(`(^|\.)running_(mean|var)$`)

// statistics warns of buffers that were measured on a checkpoint's own activations,
// as batch normalisation has them: an average of them is not what the averaged
// weights would give (Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, section 3.2).
func statistics(c *Checkpoint) Findings {
	var names []string
	for _, t := range c.tensors {
		if statisticsName.MatchString(t.Name) {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return Findings{{
		"running-statistics", Warn, c.path, names[0], "holds running statistics of activations, which do not fit averaged weights: " + some(names, "tensors"),
		"measure them anew: run the soup over training data in training mode, without learning",
	}}
}
