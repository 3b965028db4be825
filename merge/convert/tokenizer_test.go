package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge/convert/picotest"
	"soup/merge/tokenizer"
)

// The reference encoder gives the ids of the tokenizers library.
func TestEncoderGivesTransformersIDs(t *testing.T) {
	for _, name := range picotest.Names() {
		golden := picotest.Read(t, name)
		f, err := tokenizer.Read(picotest.Dir(t, name))
		if err != nil {
			t.Fatal(err)
		}
		e, err := f.Encoder()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if golden.Probe.Text != tokenizer.Probe {
			t.Fatalf("%s: made with another probe text", name)
		}
		if err := e.Compare(tokenizer.Probe, false, golden.Probe.IDs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := e.Compare(tokenizer.Probe, true, golden.Probe.WithSpecial); err != nil {
			t.Errorf("%s, with special tokens: %v", name, err)
		}
		for _, a := range golden.Answers {
			if got, err := e.Encode(a.Prompt, true); err != nil || !slices.Equal(got, a.IDs) {
				t.Errorf("%s: %q: ids are %v, want %v (%v)", name, a.Prompt, got, a.IDs, err)
			}
		}
	}
}

// Ollama's converter knows pre-tokenizers by the SHA-256 of their Split
// patterns (convert/tokenizer.go of v0.17.4): the patterns here are the same.
func TestPatternsAreOllamas(t *testing.T) {
	sums := map[string]string{
		"llama-bpe":      "d98f9631be1e9607a9848c26c1f9eac1aa9fc21ac6ba82a2fc0741af9780a48f",
		"deepseek-llm":   "03df5c5863ad70781dcfdef491ead25140f895fe8010964be0daefe27be32b02",
		"deepseek-coder": "21cde974d587f0d54dc8d56b183cc1e6239600172035c68fbd6d4b9f8da0576e",
		"qwen2":          "1ff7f41064896984db5d1bb6ff64fa4bc29007d08c1b439e505b7392777a319e",
		"qwen35":         "00431aed57e696b747435f734d1e3b9b1bfd931a121fb5cac7129e97c181e9ba",
	}
	for _, p := range preTokenizers {
		want, ok := sums[p.name]
		if !ok {
			continue
		}
		patterns := p.patterns
		if last := patterns[len(patterns)-1]; strings.HasPrefix(p.name, "deepseek") && strings.HasPrefix(last, `\p{N}`) {
			patterns = patterns[:len(patterns)-1] // a Digits step, which is no Split
		}
		sum := sha256.Sum256([]byte(strings.Join(patterns, "")))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: sum %s, want %s", p.name, got, want)
		}
		delete(sums, p.name)
	}
	if len(sums) > 0 {
		t.Errorf("no patterns of %v", sums)
	}
}

// Without tokenizer.model the scores come from the merges, and order the pieces
// as the model's own scores do.
func TestScoresOfMerges(t *testing.T) {
	dir := picotest.Dir(t, "mistral")
	with, _, err := readVocabulary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "tokenizer.model")); err != nil {
		t.Fatal(err)
	}
	without, _, err := readVocabulary(dir)
	if err != nil {
		t.Fatal(err)
	}
	order := func(v *vocabulary) (ids []int) {
		for i, s := range without.scores {
			if s > -1e6 {
				ids = append(ids, i)
			}
		}
		slices.SortStableFunc(ids, func(a, b int) int { return int(v.scores[b] - v.scores[a]) })
		return ids
	}
	if a, b := order(with), order(without); len(a) < 100 || !slices.Equal(a, b) {
		t.Errorf("%d pieces are in another order", len(a))
	}
	if with.prefix != without.prefix || !slices.Equal(with.types, without.types) {
		t.Error("types or prefix differ")
	}
}

// A tokenizer.model without tokenizer.json is enough.
func TestSentencePieceAlone(t *testing.T) {
	dir := picotest.Dir(t, "mistral")
	both, _, err := readVocabulary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	alone, f, err := readVocabulary(dir)
	if err != nil || f != nil || !alone.prefix {
		t.Fatalf("%v, %v", f, err)
	}
	if !slices.Equal(both.tokens, alone.tokens) || !slices.Equal(both.types, alone.types) {
		t.Error("tokens or types differ")
	}
}

func TestLibraryGetsBothGenerations(t *testing.T) {
	dir := picotest.Dir(t, "olmo2")
	picotest.Edit(t, dir, "config.json", func(c map[string]any) {
		c["architectures"], c["sliding_window"] = []string{"Olmo3ForCausalLM"}, 128
		c["layer_types"] = []string{"sliding_attention", "full_attention"}
	})
	now := keysOf(t, written(t, dir))
	if now["olmo3.rope.freq_base"] != 5e5 {
		t.Errorf("olmo3.rope.freq_base is %v", now["olmo3.rope.freq_base"])
	}
	for _, bad := range []struct {
		name string
		want string
	}{{"smollm", "Ollama's converter would write another"}} {
		dir := picotest.Dir(t, bad.name)
		picotest.Edit(t, dir, "config.json", set("architectures", []string{"Olmo3ForCausalLM"}))
		if _, err := Write(t.Context(), dir, filepath.Join(t.TempDir(), "x.gguf")); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("error %v", err)
		}
	}
}
