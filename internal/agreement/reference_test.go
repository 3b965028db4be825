//go:build servers

package agreement

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const root = "../.."

// question is what tools/greedy.py is asked.
type question struct {
	Prompt   string    `json:"prompt,omitempty"`
	Messages []message `json:"messages,omitempty"`
	Tokens   int       `json:"tokens"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// answer is what transformers says to a prompt: from tools/greedy.py, or from
// a golden.json of tools/pico.py, which lacks the last four fields.
type answer struct {
	Prompt  string    `json:"prompt"`
	IDs     []int     `json:"ids"`        // of the prompt
	Tokens  []int     `json:"answer_ids"` // of the answer
	Text    string    `json:"answer"`
	Margins []float64 `json:"margins"`  // of each token's logit to the second best
	Ends    []int     `json:"ends"`     // bytes of the text up to and with each token
	Ended   bool      `json:"ended"`    // the model ended the answer before its length was used up
	Rounded *string   `json:"bfloat16"` // the answer where everything is rounded to bfloat16
}

type reference struct {
	Answers []answer          `json:"answers"`
	Made    map[string]string `json:"made_with"`
}

// python runs one of the scripts of tools/ and returns what it prints.
func python(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	interpreter := os.Getenv("SOUP_PYTHON")
	if interpreter == "" {
		t.Fatal("SOUP_PYTHON is not set: run `make test-servers`")
	}
	cmd := exec.CommandContext(t.Context(), interpreter, append([]string{filepath.Join(root, "tools", script)}, args...)...)
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "TOKENIZERS_PARALLELISM=false", "PYTHONDONTWRITEBYTECODE=1")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, log.String())
	}
	return out.Bytes()
}

// greedy asks transformers.
func greedy(t *testing.T, model string, questions []question) reference {
	t.Helper()
	raw, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prompts.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r := parse(t, python(t, "greedy.py", model, file))
	if len(r.Answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(r.Answers), len(questions))
	}
	t.Logf("reference: %v", r.Made)
	return r
}

func parse(t *testing.T, raw []byte) reference {
	t.Helper()
	var r reference
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	for i, a := range r.Answers {
		if a.Prompt == "" || len(a.IDs) == 0 || len(a.Tokens) == 0 {
			t.Fatalf("a reference without prompt, token ids or answer: %+v", a)
		}
		r.Answers[i].Text = complete(a.Text)
		if a.Rounded != nil {
			*a.Rounded = complete(*a.Rounded)
		}
	}
	return r
}
