// Package toymodel is a language model for tests of drivers: its tokens are
// bytes, its probabilities a hash of its weights and what came before. It is
// read from a checkpoint's file, so that a test notices weights that were not.
//
// Start with Write and Open.
package toymodel

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// End is the token that ends an answer; the tokens below it are the bytes of
// ASCII.
const (
	End     = 128
	EndText = "</s>"
)

// Model is one set of weights.
type Model struct{ seed uint64 }

// Write makes a checkpoint with some weights in a new folder.
func Write(t testing.TB, weights string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	header := fmt.Sprintf(`{"w":{"dtype":"U8","shape":[8],"data_offsets":[0,%d]}}`, len(weights))
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	for name, text := range map[string]string{
		"config.json":           `{"architectures":["Toy"]}`,
		"tokenizer_config.json": `{"eos_token":{"content":"` + EndText + `"},"chat_template":"{% for m in messages %}<{{ m.content }}>{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}"}`,
		"model.safetensors":     string(file) + header + weights,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Open reads a checkpoint.
func Open(dir string) (Model, error) {
	text, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	h := fnv.New64a()
	_, _ = h.Write(text)
	return Model{h.Sum64()}, err
}

// LogProbs are the log-probabilities of every token after some others.
func (m Model) LogProbs(tokens []int32) []float64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, tokens)
	x, total := m.seed^h.Sum64(), 0.0
	out := make([]float64, End+1)
	for i := range out {
		x = x*6364136223846793005 + 1442695040888963407
		out[i] = 12 * float64(x>>11) / (1 << 53)
		if i < ' ' || i == 127 {
			out[i] = 0
		}
		total += math.Exp(out[i])
	}
	for i := range out {
		out[i] -= math.Log(total)
	}
	return out
}

// Best is the likeliest token after some others; the end is a little likelier
// the longer the answer is.
func (m Model) Best(prompt, said []int32) int32 {
	best, lps := 0, m.LogProbs(append(prompt[:len(prompt):len(prompt)], said...))
	for i, lp := range lps {
		if lp > lps[best] {
			best = i
		}
	}
	if len(said) >= 6 {
		return End
	}
	return int32(best)
}

// Answer is the greedy continuation: at most limit tokens, and whether the end
// token came, which is not among them.
func (m Model) Answer(prompt []int32, limit int, stop []string) (text string, tokens int, reason string) {
	var said []int32
	for len(said) < limit {
		next := m.Best(prompt, said)
		if next == End {
			return text, len(said) + 1, "stop"
		}
		said, text = append(said, next), text+string(next)
		for _, s := range stop {
			if at := strings.Index(text, s); at >= 0 {
				return text[:at], len(said), s
			}
		}
	}
	return text, len(said), "length"
}

// Encode divides a text into tokens.
func Encode(text string) []int32 {
	ids := []int32{}
	for text != "" {
		if rest, ok := strings.CutPrefix(text, EndText); ok {
			ids, text = append(ids, End), rest
			continue
		}
		ids, text = append(ids, int32(text[0])), text[1:]
	}
	return ids
}
