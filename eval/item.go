package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Item is one question with its right answer. Its JSON form is one line of a
// benchmark file. Exactly one of Prompt, Messages and Raw is given.
type Item struct {
	ID        string `json:"id"`                  // unique among all items of a study
	Benchmark string `json:"benchmark,omitempty"` // the benchmark it belongs to, set by the loader
	Category  string `json:"category,omitempty"`  // what its score counts for; default the benchmark's name
	Split     Split  `json:"split,omitempty"`     // default by hash, see SplitOf
	Cluster   string `json:"cluster,omitempty"`   // items of one benchmark that are not independent share it; default none
	Metric    string `json:"metric"`              // one of MetricNames

	Prompt   string    `json:"prompt,omitempty"`   // one user turn, rendered through the model's chat template
	System   string    `json:"system,omitempty"`   // system turn before Prompt or Messages
	Messages []Message `json:"messages,omitempty"` // a conversation, rendered likewise
	Raw      string    `json:"raw,omitempty"`      // the whole prompt, without a template

	MaxTokens int      `json:"max_tokens,omitempty"` // most tokens to generate; default see Request
	Stop      []string `json:"stop,omitempty"`       // texts that end the answer

	Answer      string          `json:"answer,omitempty"`       // the right answer, the reference
	Answers     []string        `json:"answers,omitempty"`      // further right answers; the best match counts
	Pattern     string          `json:"pattern,omitempty"`      // of metric regex
	Choices     []string        `json:"choices,omitempty"`      // texts of the options; metric letter: shown by the prompt
	Labels      []string        `json:"labels,omitempty"`       // of metric letter; default A, B, C, ... one a choice
	GroundTruth json.RawMessage `json:"ground_truth,omitempty"` // of metrics call_ast and bfcl_ast
	Function    json.RawMessage `json:"function,omitempty"`     // of metrics call_ast and bfcl_ast: schemas of the functions
	Tools       json.RawMessage `json:"tools,omitempty"`        // functions offered through the model's template, see Request
	Rule        json.RawMessage `json:"rule,omitempty"`         // settings of the metric that other fields do not hold, see the metric
}

// Validate returns an error that names the first field that is missing or does
// not fit, the item's metric included.
func (it Item) Validate() error {
	if it.ID == "" {
		return missing("id")
	}
	if err := it.validate(); err != nil {
		return fmt.Errorf("item %q: %w", it.ID, err)
	}
	return nil
}

func (it Item) validate() error {
	if it.Split != "" && !slices.Contains(splits, it.Split) {
		return fmt.Errorf("split %q is none of search, selection, test", it.Split)
	}
	if it.MaxTokens < 0 {
		return fmt.Errorf("max_tokens %d is negative", it.MaxTokens)
	}
	if err := it.validatePrompt(); err != nil {
		return err
	}
	if it.Metric == "" {
		return missing("metric")
	}
	metric, err := MetricNamed(it.Metric)
	if err != nil {
		return err
	}
	if err := metric.Validate(it); err != nil {
		return fmt.Errorf("metric %s: %w", it.Metric, err)
	}
	return nil
}

func (it Item) validatePrompt() error {
	given := 0
	for _, is := range []bool{it.Prompt != "", len(it.Messages) > 0, it.Raw != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return missing("prompt")
	case given > 1:
		return errors.New("more than one of the fields prompt, messages, raw is given")
	case it.Raw != "" && it.System != "":
		return errors.New("field system does not go with raw")
	}
	return it.validateMessages()
}

func (it Item) validateMessages() error {
	for i, m := range it.Messages {
		if !slices.Contains([]string{"system", "user", "assistant"}, m.Role) {
			return fmt.Errorf("messages: role %q is none of system, user, assistant", m.Role)
		}
		if m.Role == "system" && i == 0 && it.System != "" {
			return errors.New("two system turns: field system and the first of messages")
		}
	}
	return nil
}

// missing says that an item lacks a field, named as in the file.
func missing(field string) error { return fmt.Errorf("field %q is missing", field) }

// Request is what the item asks a server to continue.
func (it Item) Request() Request {
	r := Request{Raw: it.Raw, MaxTokens: it.MaxTokens, Stop: it.Stop, Tools: it.Tools}
	if it.System != "" {
		r.Messages = append(r.Messages, Message{Role: "system", Content: it.System})
	}
	if it.Prompt != "" {
		r.Messages = append(r.Messages, Message{Role: "user", Content: it.Prompt})
	}
	r.Messages = append(r.Messages, it.Messages...)
	return r
}

// references are the right answers, the reference first.
func (it Item) references() []string {
	return append([]string{it.Answer}, it.Answers...)
}
