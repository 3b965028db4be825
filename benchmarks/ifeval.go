package benchmarks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"soup/eval"
)

// loadIFEval reads IFEval: prompts with instructions that a program can check
// (google-research, instruction_following_eval; Zhou et al. 2023,
// https://arxiv.org/abs/2311.07911). Path is the official input_data.jsonl or its
// folder. A line has the form
//
//	{"key": 7, "prompt": "Describe a harbour in at least 50 words and without commas.",
//	 "instruction_id_list": ["length_constraints:number_words", "punctuation:no_comma"],
//	 "kwargs": [{"relation": "at least", "num_words": 50}, {}]}
//
// also with null for the arguments that an instruction does not have. Answers are
// judged by metric ifeval, which mirrors lm-evaluation-harness 0.4.13
// (lm_eval/tasks/ifeval, version 4). There is no chance level; some instructions,
// such as to use no commas, are followed by accident. Every item is a prompt of
// its own, so there are no clusters.
//
// The authors report four numbers, all of which are figures, in percent: prompts
// of which all instructions are followed, and instructions followed, each strictly
// and loosely. Items without an answer are left out.
//
// Options:
//
//	scoring     strict (default) or loose: what scores an item
//	score       prompt (default): 1 if all instructions are followed; instruction: the share of them
//	prompt      chat (default) or raw
//	max_tokens  default 1280
func loadIFEval(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	loose := o.choice("scoring", "strict", "loose") == "loose"
	share := o.choice("score", "prompt", "instruction") == "instruction"
	raw := o.choice("prompt", "chat", "raw") == "raw"
	tokens := o.count("max_tokens", 1280, 1)
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("ifeval: %w", err)
	}
	path := s.Path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "input_data.jsonl")
	}
	var items []eval.Item
	err := eval.ReadJSONL(path, func(line int, l ifevalLine) error {
		it := eval.Item{
			ID: fmt.Sprintf("%s/%04d", s.Name, line), Benchmark: s.Name, Category: s.Name, Metric: "ifeval", MaxTokens: tokens,
		}
		if raw {
			it.Raw = l.Prompt
		} else {
			it.Prompt = l.Prompt
		}
		var err error
		if it.Rule, err = l.rule(loose, share); err != nil {
			return err
		}
		items = append(items, it)
		return it.Validate()
	})
	if err != nil {
		return nil, fmt.Errorf("ifeval: %w", err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("ifeval: %s: no items", path)
	}
	return items, nil
}

// ifevalLine is a line of the official file.
type ifevalLine struct {
	Prompt string             `json:"prompt"`
	IDs    []string           `json:"instruction_id_list"`
	Kwargs []eval.Instruction `json:"kwargs"`
}

// rule is what metric ifeval wants.
func (l ifevalLine) rule(loose, share bool) (json.RawMessage, error) {
	if len(l.IDs) == 0 || len(l.IDs) != len(l.Kwargs) {
		return nil, fmt.Errorf("%d instructions with %d kwargs", len(l.IDs), len(l.Kwargs))
	}
	for i, id := range l.IDs {
		l.Kwargs[i].ID = id
	}
	return json.Marshal(map[string]any{"instructions": l.Kwargs, "loose": loose, "share": share})
}

func init() { families["ifeval"] = family{load: loadIFEval, figures: ifevalFigures} }

// ifevalFigures are the shares of prompts and of instructions, in percent.
func ifevalFigures(items []eval.Item, outcomes []eval.Outcome) []Figure {
	answers := make(map[string]string, len(outcomes))
	for _, o := range outcomes {
		if o.Scored() {
			answers[o.ID] = o.Answer
		}
	}
	prompts, instructions := 0, 0
	var strict, loose tally
	for _, it := range items {
		answer, ok := answers[it.ID]
		if !ok {
			continue
		}
		s, l := eval.Followed(it, answer)
		strict.add(s)
		loose.add(l)
		prompts++
		instructions += len(s)
	}
	if instructions == 0 {
		return nil
	}
	percent := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
	return []Figure{
		{Name: "prompt-level strict accuracy", Value: percent(strict.prompts, prompts)},
		{Name: "instruction-level strict accuracy", Value: percent(strict.instructions, instructions)},
		{Name: "prompt-level loose accuracy", Value: percent(loose.prompts, prompts)},
		{Name: "instruction-level loose accuracy", Value: percent(loose.instructions, instructions)},
	}
}

// tally counts prompts that are followed as a whole, and instructions.
type tally struct{ prompts, instructions int }

func (t *tally) add(followed []bool) {
	all := true
	for _, yes := range followed {
		all = all && yes
		if yes {
			t.instructions++
		}
	}
	if all {
		t.prompts++
	}
}
