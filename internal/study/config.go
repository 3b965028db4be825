package study

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"soup/benchmarks"
	"soup/internal/steps"
	"soup/internal/usage"
	"soup/merge"
)

// Config is a study file. Paths in it are relative to the file's folder.
type Config struct {
	Study      string              `yaml:"study"`
	Seed       uint64              `yaml:"seed"`
	Base       string              `yaml:"base"`
	Parents    Parents             `yaml:"parents"`
	Run        string              `yaml:"run"` // glob of one training run's checkpoints, in place of parents: they are these, oldest first
	Groups     Groups              `yaml:"groups"`
	Benchmarks []benchmarks.Source `yaml:"benchmarks"`
	Objective  Objective           `yaml:"objective"`
	Probe      string              `yaml:"probe"`      // midpoints: that strategy before the others; "": none
	Strategies []StrategySpec      `yaml:"strategies"` // beside the baselines; default auto
	Budget     Budget              `yaml:"budget"`
	Racing     *Racing             `yaml:"racing"` // nil: every candidate is asked all search items
	Server     Server              `yaml:"server"`
	Weights    Bounds              `yaml:"weights"`
	Store      string              `yaml:"store"`
	Finalists  int                 `yaml:"finalists"` // candidates that are scored on selection; default 5

	File string `yaml:"-"` // where it was read from
	Text string `yaml:"-"` // as it was read
}

// Parent is one checkpoint to average.
type Parent struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"`
}

// Parents is a list of names and paths, or a glob of paths.
type Parents struct {
	List []Parent
	Glob string
}

// Groups says which tensors share weights: "global", {layers: N},
// {kind: [attention, mlp, other]} or {patterns: [{name: .., match: ..}]}.
type Groups struct {
	Layers   int       `yaml:"layers"`
	Kind     []string  `yaml:"kind"`
	Patterns []Pattern `yaml:"patterns"`
}

// Pattern puts the tensors whose names match a regular expression in a group.
type Pattern struct {
	Name  string `yaml:"name"`
	Match string `yaml:"match"`
}

// Objective says what one number a candidate is judged by: the mean over
// categories, each with a weight of 1 unless given otherwise.
type Objective struct {
	Aggregate string             `yaml:"aggregate"`
	Weights   map[string]float64 `yaml:"weights"`
	Keep      []Keep             `yaml:"keep"`
}

// Keep is a constraint: a category, or every category of a benchmark, in which
// the winner must not be worse than a parent by more than a margin.
type Keep struct {
	Benchmark string  `yaml:"benchmark"`
	Category  string  `yaml:"category"`
	Of        string  `yaml:"of"`     // a parent, or best-parent: the best one in the category, by search; default
	Margin    float64 `yaml:"margin"` // in the unit of a score: 0.01 is a point; default 0
	Sure      bool    `yaml:"sure"`   // what wins must surely keep it: by the whole interval, not the difference alone
}

// StrategySpec is a strategy's name with its options.
type StrategySpec struct {
	Name    string
	Options map[string]any
}

// Bounds are the limits of every weight and their sum.
type Bounds struct {
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
	Sum *float64 `yaml:"sum"`
}

// ReadConfig reads and checks a study file. Every error names the file and,
// where there is one, the line and the column.
func ReadConfig(path string) (*Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, &usage.Error{Message: err.Error(), Advice: "give the path of a study file, such as examples/garden/demo.yaml"}
	}
	c := &Config{File: path, Text: string(raw)}
	if strings.TrimSpace(c.Text) == "" {
		return nil, usage.Errorf("%s: empty study file", path)
	}
	if err := parseInto(c, c.Text); err != nil {
		return nil, err
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, nil
}

// parseInto reads the text of a study file; c.File names it in errors.
func parseInto(c *Config, text string) error {
	d := yaml.NewDecoder(strings.NewReader(text), yaml.Strict())
	if err := d.Decode(c); err != nil {
		return located(c.File, text, err)
	}
	if err := d.Decode(&Config{}); !errors.Is(err, io.EOF) {
		return usage.Errorf("%s: more than one YAML document; a study is one", c.File)
	}
	return nil
}

// located puts file, line, column and the offending line into one line.
func located(path, text string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return usage.Errorf("%s: %s", path, oneLine(err.Error()))
	}
	p := at.GetToken().Position
	message := plainTypes(oneLine(at.GetMessage()))
	if lines := strings.Split(text, "\n"); p.Line >= 1 && p.Line <= len(lines) {
		message += fmt.Sprintf(" in %q", strings.TrimSpace(lines[p.Line-1]))
	}
	return usage.Errorf("%s:%d:%d: %s", path, p.Line, p.Column, message)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var goTypes = regexp.MustCompile(`^cannot unmarshal (\S+) into Go .*of type (\S+).*$`)

// plainTypes says what a value must be in words rather than in Go's types.
func plainTypes(message string) string {
	m := goTypes.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	want := map[string]string{
		"uint64": "a whole number from 0 on", "int": "a whole number", "float64": "a number", "string": "text", "time.Duration": "a duration such as 8h",
	}[m[2]]
	if want == "" {
		return "this key takes something else here than " + m[1]
	}
	return "want " + want + " here, not " + m[1]
}

// mistake is an error at a place of the study file.
func mistake(at *token.Token, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: at}
}

// at is the place of a key in a mapping, or of the mapping where it has none.
func at(n ast.Node, key string) *token.Token {
	if m, ok := n.(ast.MapNode); ok {
		for entries := m.MapRange(); entries.Next(); {
			if t := entries.Key().GetToken(); t.Value == key {
				return t
			}
		}
	}
	return n.GetToken()
}

func decode(n ast.Node, v any) error { return yaml.NodeToValue(n, v, yaml.Strict()) }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Parents) UnmarshalYAML(n ast.Node) error {
	if s, ok := n.(*ast.StringNode); ok {
		p.Glob = s.Value
		return nil
	}
	return decode(n, &p.List)
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (g *Groups) UnmarshalYAML(n ast.Node) error {
	if s, ok := n.(*ast.StringNode); ok {
		if s.Value != "global" {
			return mistake(s.GetToken(), "unknown groups %q; want global, {layers: N}, {kind: [..]} or {patterns: [..]}", s.Value)
		}
		return nil
	}
	type plain Groups
	if err := decode(n, (*plain)(g)); err != nil {
		return err
	}
	given := 0
	for _, set := range []bool{g.Layers != 0, len(g.Kind) > 0, len(g.Patterns) > 0} {
		if set {
			given++
		}
	}
	if given != 1 || g.Layers < 0 {
		return mistake(n.GetToken(), "groups need exactly one of layers (positive), kind and patterns")
	}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *StrategySpec) UnmarshalYAML(n ast.Node) error {
	if name, ok := n.(*ast.StringNode); ok {
		s.Name = name.Value
		return nil
	}
	var m map[string]map[string]any
	if err := yaml.NodeToValue(n, &m); err != nil || len(m) != 1 {
		return mistake(n.GetToken(), "a strategy is a name, or one name with its options: {random: {budget: 60}}")
	}
	for name, options := range m {
		s.Name, s.Options = name, options
	}
	return nil
}

// complete checks what YAML cannot and fills in defaults.
func (c *Config) complete() error {
	base := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	if c.Study == "" {
		c.Study = base
	}
	if c.Finalists == 0 {
		c.Finalists = 5
	}
	if c.Strategies == nil { // an empty list stays one
		c.Strategies = []StrategySpec{{Name: "auto"}}
	}
	for _, check := range []func() error{c.completeParents, c.checkBenchmarks, c.completeServer, c.checkRest} {
		if err := check(); err != nil {
			return err
		}
	}
	if c.Base != "" {
		c.Base = c.resolve(c.Base)
	}
	return nil
}

func (c *Config) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.File), path)
}

func (c *Config) completeParents() error {
	if c.Run != "" {
		return c.parentsOfRun()
	}
	if c.Parents.Glob != "" {
		found, err := filepath.Glob(c.resolve(c.Parents.Glob))
		if err != nil || len(found) == 0 {
			return usage.Errorf("%s: parents: nothing matches %s", c.File, c.Parents.Glob)
		}
		slices.Sort(found)
		for _, f := range found {
			c.Parents.List = append(c.Parents.List, Parent{Name: filepath.Base(f), Path: f})
		}
	}
	if len(c.Parents.List) == 0 {
		return usage.Errorf("%s: parents: none given", c.File)
	}
	seen := map[string]bool{}
	for i := range c.Parents.List {
		p := &c.Parents.List[i]
		if p.Path == "" {
			return usage.Errorf("%s: parents: entry %d has no path", c.File, i+1)
		}
		if c.Parents.Glob == "" { // a glob was resolved as a whole
			p.Path = c.resolve(p.Path)
		}
		if p.Name == "" {
			p.Name = filepath.Base(p.Path)
		}
		if seen[p.Name] {
			return usage.Errorf("%s: parents: two are named %s", c.File, p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}

// parentsOfRun are the checkpoints of a run, oldest first.
func (c *Config) parentsOfRun() error {
	if len(c.Parents.List) > 0 || c.Parents.Glob != "" {
		return usage.Errorf("%s: run: the parents are the run's checkpoints; give one of the two", c.File)
	}
	found, err := filepath.Glob(c.resolve(c.Run))
	if err != nil || len(found) < 2 {
		return usage.Errorf("%s: run: %d checkpoints match %s; a run needs two", c.File, len(found), c.Run)
	}
	run, err := steps.Order(found)
	if err != nil {
		return fmt.Errorf("%s: run: %w", c.File, err)
	}
	for _, m := range run {
		c.Parents.List = append(c.Parents.List, Parent{Name: m.Name, Path: m.Path})
	}
	return nil
}

func (c *Config) checkBenchmarks() error {
	if len(c.Benchmarks) == 0 {
		return usage.Errorf("%s: benchmarks: none given", c.File)
	}
	for i := range c.Benchmarks {
		b := &c.Benchmarks[i]
		if b.Path == "" {
			return usage.Errorf("%s: benchmarks: entry %d has no file", c.File, i+1)
		}
		b.Named()
		b.Path, b.Dir = c.resolve(b.Path), filepath.Dir(c.File)
	}
	return nil
}

func (c *Config) checkRest() error {
	if a := c.Objective.Aggregate; a != "" && a != "mean" {
		return usage.Errorf("%s: objective: unknown aggregate %q; this version has mean", c.File, a)
	}
	if c.Probe != "" && c.Probe != midpointProbe {
		return usage.Errorf("%s: unknown probe %q; there is %s", c.File, c.Probe, midpointProbe)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Objective.Weights)) {
		if w := c.Objective.Weights[name]; !(w >= 0) || math.IsInf(w, 0) {
			return usage.Errorf("%s: objective: weight of %s is %v; it must be a number from 0 on", c.File, name, w)
		}
	}
	for _, bound := range []struct {
		name  string
		value *float64
	}{{"max", c.Weights.Max}, {"sum", c.Weights.Sum}} {
		if bound.value != nil && *bound.value == 0 {
			return usage.Errorf("%s: weights: %s cannot be 0", c.File, bound.name)
		}
	}
	if c.Finalists < 0 {
		return usage.Errorf("%s: finalists cannot be negative", c.File)
	}
	return nil
}

// store is the dtype of the soup, AsStored where the study names none.
func (c *Config) store() (merge.DType, error) {
	if c.Store == "" {
		return merge.AsStored, nil
	}
	store, err := merge.ParseDType(c.Store)
	if err != nil {
		return store, usage.Errorf("%s: store: %s", c.File, err)
	}
	return store, nil
}

func (b Bounds) values() (low, high, sum float64) {
	low, high, sum = 0, 1, 1
	for _, v := range []struct {
		given *float64
		set   *float64
	}{{b.Min, &low}, {b.Max, &high}, {b.Sum, &sum}} {
		if v.given != nil {
			*v.set = *v.given
		}
	}
	return low, high, sum
}
