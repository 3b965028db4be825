package merge

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"soup/merge/internal/remedy"
)

// Grouping splits a checkpoint's tensors into groups that have weights of
// their own. The zero value is one group of all tensors.
type Grouping struct {
	Names []string       `json:"names"`
	Of    map[string]int `json:"of"` // tensor name to index in Names
}

// Len returns the number of groups: the rows of weights that a recipe has.
func (g Grouping) Len() int { return max(1, len(g.Names)) }

// Name returns the name of group i; "all" where there is only the one.
func (g Grouping) Name(i int) string {
	if len(g.Names) == 0 {
		return "all"
	}
	return g.Names[i]
}

// of returns the group of a tensor.
func (g Grouping) of(tensor string) (int, error) {
	if len(g.Names) == 0 {
		return 0, nil
	}
	i, ok := g.Of[tensor]
	if !ok || i < 0 || i >= len(g.Names) {
		return 0, fmt.Errorf("tensor %s is in no group", tensor)
	}
	return i, nil
}

// GroupPattern puts the tensors whose names match a regular expression (Go's
// syntax, unanchored) into a group. Several patterns may name one group.
type GroupPattern struct {
	Name  string `json:"name" yaml:"name"`
	Match string `json:"match" yaml:"match"`
}

// GroupSpec says how to group tensors, in one of three ways; the zero value
// puts all into one group.
//
// Layers makes that many blocks of consecutive layers, equal within one layer.
// Embeddings go with the first block; head, final norm and all else that
// belongs to no layer with the last.
//
// Kinds names groups among "embedding", "attention" and "mlp", which hold those
// projections (experts and routers are mlp), "norm", "head", and "other", which
// holds what is of none of these and every kind that is not listed.
//
// Patterns are tried in order, the first match wins, the rest is "other".
type GroupSpec struct {
	Layers   int            `json:"layers,omitempty" yaml:"layers"`
	Kinds    []string       `json:"kinds,omitempty" yaml:"kind"`
	Patterns []GroupPattern `json:"patterns,omitempty" yaml:"patterns"`
}

const otherGroup = "other"

// Group assigns tensors, given by name, to groups. Names of Hugging Face and
// of GGUF are understood. A group that gets no tensor is an error.
func (s GroupSpec) Group(tensors []string) (Grouping, error) {
	given := 0
	for _, is := range []bool{s.Layers != 0, len(s.Kinds) > 0, len(s.Patterns) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return Grouping{}, fmt.Errorf("groups: give layers, kinds or patterns, not several of them")
	case s.Layers != 0:
		return byLayer(tensors, s.Layers)
	case len(s.Kinds) > 0:
		return byKind(tensors, s.Kinds)
	case len(s.Patterns) > 0:
		return byPattern(tensors, s.Patterns)
	}
	return Grouping{}, nil
}

var layerName = regexp.MustCompile(`(?:^|\.)(?:layers|layer|blocks|block|blk|h)\.(\d+)\.`)

// layer returns the layer a tensor belongs to, or -1.
func layer(tensor string) int {
	m := layerName.FindStringSubmatch(tensor)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return n
}

var embeddingName = regexp.MustCompile(`embd|embed|wte\.|wpe\.`)

func byLayer(tensors []string, blocks int) (Grouping, error) {
	layers := 0
	for _, t := range tensors {
		layers = max(layers, layer(t)+1)
	}
	if blocks < 1 || blocks > layers {
		return Grouping{}, remedy.Errorf("give a number from 1 to the number of layers", "groups: %d blocks cannot be made of %d layers", blocks, layers)
	}
	g := Grouping{Of: map[string]int{}}
	for b := range blocks {
		// Block b holds the layers l with l*blocks/layers == b.
		first, last := (b*layers+blocks-1)/blocks, ((b+1)*layers+blocks-1)/blocks-1
		g.Names = append(g.Names, fmt.Sprintf("layers %d-%d", first, last))
	}
	for _, t := range tensors {
		switch l := layer(t); {
		case l >= 0:
			g.Of[t] = l * blocks / layers
		case embeddingName.MatchString(t) && !strings.Contains(t, "embed_out"):
			g.Of[t] = 0
		default:
			g.Of[t] = blocks - 1
		}
	}
	return g, g.populated()
}

// kinds are tried in this order. All norms are one kind: whether a norm belongs
// to what stands before or after it differs between architectures, and between
// the names of Hugging Face and GGUF.
var kinds = []struct {
	name   string
	layers bool // only within a layer
	match  *regexp.Regexp
}{
	{"norm", false, regexp.MustCompile(`norm|(^|[._])ln(_|\d|\.)`)},
	{"attention", true, regexp.MustCompile(`attn|attention`)},
	{"mlp", true, regexp.MustCompile(`mlp|ffn|feed_forward|experts|block_sparse_moe|\.router\.|\.gate\.`)},
	{"head", false, regexp.MustCompile(`(^|\.)lm_head\.|^output\.|embed_out\.`)},
	{"embedding", false, embeddingName},
}

// kind classifies a tensor.
func kind(tensor string) string {
	for _, k := range kinds {
		if (!k.layers || layer(tensor) >= 0) && k.match.MatchString(tensor) {
			return k.name
		}
	}
	return otherGroup
}

// kindNames returns the names that groups by kind may have.
func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return append(names, otherGroup)
}

func byKind(tensors, named []string) (Grouping, error) {
	for i, k := range named {
		if !slices.Contains(kindNames(), k) {
			return Grouping{}, remedy.Errorf("use "+strings.Join(kindNames(), ", "), "groups: unknown kind %q", k)
		}
		if slices.Contains(named[:i], k) {
			return Grouping{}, fmt.Errorf("groups: kind %q is there twice", k)
		}
	}
	return assign(tensors, named, func(t string) string {
		if k := kind(t); slices.Contains(named, k) {
			return k
		}
		return otherGroup
	})
}

func byPattern(tensors []string, patterns []GroupPattern) (Grouping, error) {
	var names []string
	matchers := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		m, err := regexp.Compile(p.Match)
		if err != nil {
			return Grouping{}, fmt.Errorf("groups: pattern %q: %w", p.Match, err)
		}
		if p.Name == "" {
			return Grouping{}, fmt.Errorf("groups: pattern %q has no name", p.Match)
		}
		matchers[i] = m
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return assign(tensors, names, func(t string) string {
		for i, m := range matchers {
			if m.MatchString(t) {
				return patterns[i].Name
			}
		}
		return otherGroup
	})
}

// assign builds a grouping from a rule; "other" comes last if nobody named it.
func assign(tensors, names []string, rule func(tensor string) string) (Grouping, error) {
	g := Grouping{Names: slices.Clone(names), Of: map[string]int{}}
	for _, t := range tensors {
		name := rule(t)
		i := slices.Index(g.Names, name)
		if i < 0 {
			i, g.Names = len(g.Names), append(g.Names, name)
		}
		g.Of[t] = i
	}
	return g, g.populated()
}

// populated refuses groups without tensors: their weights would do nothing,
// and a search over them would waste its budget.
func (g Grouping) populated() error {
	count := make([]int, len(g.Names))
	for _, i := range g.Of {
		count[i]++
	}
	if i := slices.Index(count, 0); i >= 0 {
		return fmt.Errorf("groups: no tensor is in group %q", g.Names[i])
	}
	return nil
}
