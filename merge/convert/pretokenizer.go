package convert

import (
	"fmt"
	"strings"

	"soup/merge/internal/remedy"
	"soup/merge/tokenizer"
)

// Patterns of widely used byte-level tokenizers, as their tokenizer.json has
// them.
const (
	llama3Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Pattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen35Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	tekkenPattern = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	gpt4oPattern  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// preTokenizer is a name that tokenizer.ggml.pre can have.
type preTokenizer struct {
	name     string
	whole    bool // readers take a part that is a token at once, whatever the merges say
	patterns []string
}

// preTokenizers are those whose patterns llama.cpp implements as they are
// (llama_vocab::impl::load of src/llama-vocab.cpp). The first that fits is
// taken. convert_hf_to_gguf.py tells them apart by hashing the ids of a text;
// patterns tell as much, and need no vocabulary of the original's size.
var preTokenizers = []preTokenizer{
	{"llama-bpe", true, []string{llama3Pattern}},
	{"dbrx", false, []string{llama3Pattern}},
	{"qwen2", false, []string{qwen2Pattern}},
	{"qwen35", false, []string{qwen35Pattern}},
	{"tekken", true, []string{tekkenPattern}},
	{"gpt-4o", false, []string{gpt4oPattern}},
	{"smollm", false, []string{`\p{N}`, tokenizer.WordPattern}},
	{"gpt-2", false, []string{tokenizer.WordPattern}},
	{"deepseek-coder", false, []string{"[\r\n]", `\s?\p{L}+`, `\s?\p{P}+`, "[一-龥ࠀ-一가-\ud7ff]+", `\p{N}`}},
	{"deepseek-llm", false, []string{"[\r\n]", deepseekLetters, "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", "\\s+$", "[一-龥ࠀ-一가-\ud7ff]+", "\\p{N}+"}},
}

// deepseekLetters are the letters of scripts that have cases.
const deepseekLetters = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"

// preTokenizerOf names a byte-level tokenizer's pre-tokeniser and refuses one
// that readers of GGUF do not know: they would take another and say nothing.
func preTokenizerOf(f *tokenizer.File) (string, error) {
	for _, n := range f.Normalizer.Flat() {
		if n.Type != "NFC" { // which changes nothing in most texts
			return "", remedy.Errorf(elsewhere, "tokenizer.json: normalizer %s of a byte-level tokenizer: readers of GGUF do not normalise", n.Type)
		}
	}
	patterns, byteLevel, err := f.Splits()
	if err == nil && !byteLevel {
		err = fmt.Errorf("pre-tokenizer without ByteLevel")
	}
	if err != nil {
		return "", remedy.Errorf(elsewhere, "tokenizer.json: %w: readers of GGUF do not know it", err)
	}
	joined := strings.Join(patterns, "\n")
	for _, p := range preTokenizers {
		if strings.Join(p.patterns, "\n") == joined && (!p.whole || f.Model.IgnoreMerges) {
			return p.name, nil
		}
	}
	return "", remedy.Errorf(elsewhere, "tokenizer.json: pre-tokenizer with patterns %q, which readers of GGUF do not know", patterns)
}
