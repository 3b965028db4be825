package benchmarks

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Source is one benchmark as a study file or a command line names it.
type Source struct {
	Name    string         // of the benchmark; default the family's, or the file's without its extension
	Family  string         // one of Families; "" is soup's own format, JSON Lines
	Path    string         // file or folder with the official data
	Options map[string]any // of the family; unknown ones are errors
	Dir     string         // that relative paths in Options start from; default the working directory
}

// PlainKeys are the keys of a benchmark in soup's own format in a study file.
type PlainKeys struct {
	Name    string `yaml:"name"`
	File    string `yaml:"file"`
	Command []any  `yaml:"command"` // scores items of metric command
	Timeout string `yaml:"timeout"` // of one answer
}

// ParseSource reads how a command line names a benchmark: the path of a JSON Lines
// file, FAMILY:PATH, or an entry of a study file's benchmarks in braces, which can
// have options: {mgsm: PATH, languages: [de, fr]}.
func ParseSource(text string) (Source, error) {
	var s Source
	if strings.HasPrefix(text, "{") {
		if err := yaml.UnmarshalWithOptions([]byte(text), &s, yaml.Strict()); err != nil {
			return s, fmt.Errorf("%s: %s", text, plainly(err))
		}
		if s.Path == "" {
			return s, fmt.Errorf("%s: names no file", text)
		}
	} else if family, path, ok := strings.Cut(text, ":"); ok && slices.Contains(Families(), family) {
		s = Source{Family: family, Path: path}
	} else {
		s = Source{Path: text}
	}
	s.Named()
	return s, nil
}

// plainly is the first line of a YAML error without its picture of the place.
func plainly(err error) string {
	var at yaml.Error
	if errors.As(err, &at) {
		return at.GetMessage()
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}

// Named gives a benchmark without a name its default one.
func (s *Source) Named() {
	switch {
	case s.Name != "":
	case s.Family != "":
		s.Name = s.Family
	default:
		s.Name = strings.TrimSuffix(filepath.Base(s.Path), filepath.Ext(s.Path))
	}
}

// UnmarshalYAML implements yaml.NodeUnmarshaler: a file of items, {name: arith, file:
// arith.jsonl}, or the official files of a family with its options, {bfcl: /data/bfcl,
// categories: [..], name: ..}.
func (s *Source) UnmarshalYAML(n ast.Node) error {
	var keys map[string]any
	if err := yaml.NodeToValue(n, &keys); err != nil {
		return misplaced(n, "a benchmark is {name: .., file: ..}, or an official one with its options: {bfcl: PATH}")
	}
	for _, family := range Families() {
		if _, named := keys[family]; named {
			return s.official(n, family, keys)
		}
	}
	var plain PlainKeys
	err := yaml.NodeToValue(n, &plain, yaml.Strict())
	s.Name, s.Path = plain.Name, plain.File
	if len(plain.Command) > 0 || plain.Timeout != "" {
		s.Options = map[string]any{"command": plain.Command}
		if plain.Timeout != "" {
			s.Options["timeout"] = plain.Timeout
		}
	}
	return err
}

// official reads the entry of a benchmark that soup knows: the keys beside its
// path and name are its options.
func (s *Source) official(n ast.Node, family string, keys map[string]any) error {
	s.Family = family
	for key, value := range keys {
		text, isText := value.(string)
		switch {
		case key != family && key != "name":
			if s.Options == nil {
				s.Options = map[string]any{}
			}
			s.Options[key] = value
		case !isText || text == "":
			return misplaced(n, "%s: want text here", key)
		case key == family:
			s.Path = text
		default:
			s.Name = text
		}
	}
	return nil
}

// misplaced is an error at a node of the YAML file.
func misplaced(at ast.Node, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: at.GetToken()}
}
