//go:build servers

package agreement

import (
	"path/filepath"
	"testing"
)

// gardenQuestions are asked through the chat template, or as raw text.
func gardenQuestions() []question {
	user := func(text string) question {
		return question{Messages: []message{{"user", text}}, Tokens: 24}
	}
	return []question{
		user("785+878"), user("reverse TNHEEIPE"), user("sort 03186265969"), user("odd A big B star C quiet D tiny"),
		{Prompt: "<|user|>12+34<|end|><|assistant|>", Tokens: 24},
		{Prompt: "sort 4", Tokens: 40},
	}
}

// TestGarden: a trained checkpoint in bfloat16.
func TestGarden(t *testing.T) {
	dir := filepath.Join(root, "examples/garden/finetune/order")
	exactly(t, written(t, dir), greedy(t, dir, gardenQuestions()))
}
