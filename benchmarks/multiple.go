package benchmarks

import (
	"fmt"
	"strings"

	"soup/eval"
)

// multiple is how the questions of a multiple choice benchmark are asked.
type multiple struct {
	source    Source
	ask       string // labels, choices or generate
	by        string // of choices: what choices are compared by, see metric choice
	maxTokens int    // of generate
	intro     string // what stands before the first question; raw prompts only
}

// multipleQuestion is one question with its options.
type multipleQuestion struct {
	id, category, cluster string
	open                  string   // the prompt that a choice's text goes on from
	text                  string   // the question alone
	labels, options       []string // as many
	right                 int
}

// askOptions are the options that every family has; the first way is the default.
//
//	labels     the options are shown with letters; the server tells how likely each letter is
//	choices    the options are not shown; the server tells how likely each one's text is
//	generate   the options are shown, and the model is asked to reason and to end with a letter
func askOptions(s Source, o *settings, ways ...string) multiple {
	m := multiple{source: s, ask: o.choice("ask", ways...)}
	m.maxTokens = o.count("max_tokens", 2048, 1)
	scores := map[string]string{"acc_norm": "chars", "acc": "sum"}
	m.by = scores[o.choice("score", "acc_norm", "acc")]
	if m.ask != "generate" && s.Options["max_tokens"] != nil {
		o.fail("max_tokens", "goes with ask: generate")
	}
	if m.ask != "choices" && s.Options["score"] != nil {
		o.fail("score", "goes with ask: choices")
	}
	return m
}

// item makes the item of a question; shots are examples in the same form as
// the question, without those of generate.
func (m multiple) item(q multipleQuestion, shots string) eval.Item {
	it := eval.Item{ID: m.source.Name + "-" + q.id, Benchmark: m.source.Name, Category: q.category, Cluster: q.cluster}
	switch m.ask {
	case "choices":
		it.Metric, it.Raw, it.Choices, it.Answer = "choice", m.intro+shots+q.open, q.options, q.options[q.right]
		it.Rule = ruleOf(map[string]any{"by": m.by, "delimiter": " ", "right": []int{q.right}})
	case "labels":
		it.Metric, it.Raw, it.Choices = "letter", m.intro+shots+q.lettered(), q.options
		for _, label := range q.labels {
			it.Labels = append(it.Labels, " "+label)
		}
		it.Answer = it.Labels[q.right]
		it.MaxTokens = 4 // where the server cannot score labels
	default:
		q.labels = letters(len(q.options)) // the reading knows A to D
		it.Metric, it.Prompt, it.Choices, it.Labels = "letter", q.reasoning(), q.options, q.labels
		it.Answer, it.MaxTokens = q.labels[q.right], m.maxTokens
		it.Rule = ruleOf(map[string]any{"generate": true, "answer": "simple-evals"})
	}
	return it
}

// shot is the question with its answer as an example before others.
func (m multiple) shot(q multipleQuestion) string {
	if m.ask == "choices" {
		return q.open + " " + q.options[q.right] + "\n\n"
	}
	return q.lettered() + " " + q.labels[q.right] + "\n\n"
}

// lettered is the form of lm-eval's mmlu.
func (q multipleQuestion) lettered() string { return q.text + "\n" + q.list(". ") + "Answer:" }

func (q multipleQuestion) list(mark string) string {
	var b strings.Builder
	for i, option := range q.options {
		b.WriteString(q.labels[i] + mark + option + "\n")
	}
	return b.String()
}

// reasoning is the prompt that simple-evals asks multiple choice questions with
// (openai/simple-evals, common.py, QUERY_TEMPLATE_MULTICHOICE, commit ee3b031; MIT
// License, Copyright (c) 2024 OpenAI).
func (q multipleQuestion) reasoning() string {
	const asks = "Answer the following multiple choice question. The last line of your response should be of the following format: " +
		"'Answer: $LETTER' (without quotes) where LETTER is one of %s. Think step by step before answering.\n\n%s\n\n%s"
	return fmt.Sprintf(asks, strings.Join(q.labels, ""), q.text, strings.TrimSuffix(q.list(") "), "\n"))
}

// letters are the labels of n options.
func letters(n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = string(rune('A' + i))
	}
	return labels
}
