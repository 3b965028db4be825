package benchmarks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"soup/eval"
	"soup/eval/bfcl"
)

// bfclFamily is the Berkeley Function Calling Leaderboard, single-turn, versions
// 3 and 4 (https://github.com/ShishirPatil/gorilla at commit 6ea57973, its files
// also in the Python package bfcl-eval, folder data). The path is the folder with
// BFCL_v4_simple_python.json and so on and possible_answer/. An item of it
// (simple_python_0 of version 4, shortened):
//
//	{"id": "simple_python_0",
//	 "question": [[{"role": "user", "content": "Find the area of a triangle with a base of 10 units and height of 5 units."}]],
//	 "function": [{"name": "calculate_triangle_area", "description": "Calculate the area of a triangle given its base and height.",
//	   "parameters": {"type": "dict", "properties": {"base": {"type": "integer", "description": "The base of the triangle."}, ..}, "required": ["base", "height"]}}]}
//	{"id": "simple_python_0", "ground_truth": [{"calculate_triangle_area": {"base": [10], "height": [5], "unit": ["units", ""]}}]}
//
// The right answer is [calculate_triangle_area(base=10, height=5)]. Chance level:
// 0, save that whoever never calls a function has all of irrelevance right, and
// whoever always calls one all of live_relevance.
//
// Items about the same function are not independent: the function that the
// ground truth calls first, or else the first that is offered, is their cluster.
//
// Options: categories, a list of names or of the groups non_live and live
// (default: all whose files are there); mode, prompting (default: the official
// system prompt, answers as Python) or fc (functions offered through the model's
// own template, answers as the server reads them); max_tokens (default 4096, the
// benchmark's bound); version, 3 or 4, where files of both are there.
var bfclFamily = family{load: loadBFCL, figures: bfclFigures}

// bfclCategories are the categories of version 4 in the order of the benchmark.
var bfclCategories = []string{
	"simple_python", "simple_java", "simple_javascript", "multiple", "parallel", "parallel_multiple", "irrelevance",
	"live_simple", "live_multiple", "live_parallel", "live_parallel_multiple", "live_irrelevance", "live_relevance",
}

// bfclOldNames are what version 3 calls categories that have other names in 4.
var bfclOldNames = map[string]string{"simple_python": "simple", "simple_java": "java", "simple_javascript": "javascript"}

// bfclTokens is the most tokens that the benchmark lets a model generate
// (bfcl_eval/model_handler/local_inference/base_oss_handler.py).
const bfclTokens = 4096

// bfclSet is one configured benchmark.
type bfclSet struct {
	Source
	version    int
	categories []string
	calling    bool
	maxTokens  int
}

func loadBFCL(s Source) ([]eval.Item, error) {
	set := &bfclSet{Source: s}
	if err := set.options(); err != nil {
		return nil, err
	}
	if err := set.findVersion(); err != nil {
		return nil, err
	}
	if len(set.categories) == 0 {
		for _, c := range bfclCategories {
			if _, err := os.Stat(set.file(c)); err == nil {
				set.categories = append(set.categories, c)
			}
		}
	}
	var items []eval.Item
	for _, c := range set.categories {
		more, err := set.load(c)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

// findVersion looks which files are there.
func (s *bfclSet) findVersion() error {
	var found []int
	for _, v := range []int{3, 4} {
		names, err := filepath.Glob(filepath.Join(s.Path, fmt.Sprintf("BFCL_v%d_*.json", v)))
		if err != nil {
			return err
		}
		if len(names) > 0 {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 0:
		return fmt.Errorf("%s: no files BFCL_v4_*.json or BFCL_v3_*.json; give the folder data of the package bfcl-eval", s.Path)
	case s.version == 0 && len(found) > 1:
		return fmt.Errorf("%s: files of versions 3 and 4; choose with the option version", s.Path)
	case s.version == 0:
		s.version = found[0]
	case !slices.Contains(found, s.version):
		return fmt.Errorf("%s: no files of version %d", s.Path, s.version)
	}
	return nil
}

func (s *bfclSet) fileName(category string) string {
	if old, renamed := bfclOldNames[category]; renamed && s.version == 3 {
		category = old
	}
	return fmt.Sprintf("BFCL_v%d_%s.json", s.version, category)
}

func (s *bfclSet) file(category string) string {
	return filepath.Join(s.Path, s.fileName(category))
}

// bfclEntry is a line of a question file.
type bfclEntry struct {
	ID       string           `json:"id"`
	Question [][]eval.Message `json:"question"`
	Function json.RawMessage  `json:"function"`
}

// load reads one category with its ground truth, which has the same order.
func (s *bfclSet) load(category string) ([]eval.Item, error) {
	truth, err := s.truth(category)
	if err != nil {
		return nil, err
	}
	var items []eval.Item
	err = eval.ReadJSONL(s.file(category), func(_ int, e bfclEntry) error {
		it, err := s.item(category, e, truth[e.ID])
		if err != nil {
			return fmt.Errorf("%q: %w", e.ID, err)
		}
		items = append(items, it)
		return nil
	})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("%s: no items", s.file(category))
	}
	return items, err
}

func bfclRelevance(category string) bool { return strings.HasSuffix(category, "relevance") }

// truth is the ground truth by id, nil for categories without.
func (s *bfclSet) truth(category string) (map[string]json.RawMessage, error) {
	if bfclRelevance(category) {
		return nil, nil
	}
	truth := map[string]json.RawMessage{}
	path := filepath.Join(s.Path, "possible_answer", s.fileName(category))
	err := eval.ReadJSONL(path, func(_ int, e struct {
		ID          string          `json:"id"`
		GroundTruth json.RawMessage `json:"ground_truth"`
	},
	) error {
		truth[e.ID] = e.GroundTruth
		return nil
	})
	return truth, err
}

func (s *bfclSet) item(category string, e bfclEntry, truth json.RawMessage) (eval.Item, error) {
	switch {
	case e.ID == "":
		return eval.Item{}, errors.New("no id")
	case len(e.Question) != 1 || len(e.Question[0]) == 0:
		return eval.Item{}, fmt.Errorf("%d turns; only single-turn categories can be asked", len(e.Question))
	case truth == nil && !bfclRelevance(category):
		return eval.Item{}, errors.New("no ground truth in possible_answer")
	}
	rule := s.rule(category)
	encoded, err := json.Marshal(rule)
	if err != nil {
		return eval.Item{}, err
	}
	it := eval.Item{
		ID: e.ID, Benchmark: s.Name, Category: category, MaxTokens: s.maxTokens,
		Metric: bfclMetric(category), Rule: encoded, Function: e.Function, GroundTruth: truth,
	}
	if s.Name != s.Family {
		it.ID = s.Name + "/" + e.ID
	}
	if it.Cluster, err = bfclCluster(e.Function, truth); err != nil {
		return it, err
	}
	if it.Messages, it.Tools, err = s.prompt(rule, e); err != nil {
		return it, err
	}
	return it, it.Validate()
}

func bfclMetric(category string) string {
	switch {
	case strings.HasSuffix(category, "irrelevance"):
		return "bfcl_irrelevance"
	case bfclRelevance(category):
		return "bfcl_relevance"
	}
	return "bfcl_ast"
}

func (s *bfclSet) rule(category string) bfcl.Rule {
	r := bfcl.Rule{Language: bfcl.Python, Matching: bfcl.Simple, Calling: s.calling, Underscores: s.calling}
	switch {
	case strings.Contains(category, "parallel"):
		r.Matching = bfcl.Parallel
	case strings.Contains(category, "multiple"):
		r.Matching = bfcl.Multiple
	case category == "simple_java":
		r.Language = bfcl.Java
	case category == "simple_javascript":
		r.Language = bfcl.JavaScript
	}
	return r
}

// bfclCluster is the name of the function that an item is about.
func bfclCluster(functions, truth json.RawMessage) (string, error) {
	var calls []map[string]json.RawMessage
	if len(truth) > 0 {
		if err := json.Unmarshal(truth, &calls); err != nil {
			return "", fmt.Errorf("ground truth: %w", err)
		}
	}
	if len(calls) > 0 && len(calls[0]) == 1 {
		for name := range calls[0] {
			return name, nil
		}
	}
	var offered []struct{ Name string }
	if err := json.Unmarshal(functions, &offered); err != nil {
		return "", fmt.Errorf("function: %w", err)
	}
	if len(offered) == 0 {
		return "", nil
	}
	return offered[0].Name, nil
}

// prompt is the conversation of an item and, in function-calling mode, the tools.
// The system prompt goes before one that the question has.
func (s *bfclSet) prompt(r bfcl.Rule, e bfclEntry) ([]eval.Message, json.RawMessage, error) {
	messages := slices.Clone(e.Question[0])
	if s.calling {
		tools, err := bfcl.Tools(r.Language, e.Function)
		return messages, tools, err
	}
	system, err := bfcl.Prompt(s.version, r.Language, e.Function)
	if messages[0].Role == "system" {
		messages[0].Content = system + "\n\n" + messages[0].Content
		return messages, nil, err
	}
	return slices.Insert(messages, 0, eval.Message{Role: "system", Content: system}), nil, err
}
