//go:build cgo

package embedded

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ollama/ollama/fs"
	"github.com/ollama/ollama/tokenizer"
)

// blank is every blank of Unicode: in patterns the engine's library takes \s for
// the six of ASCII only, tokenizer.json for all of them.
const blank = `\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`

// spaced writes a pattern's \s and \S out.
func spaced(pattern string) string {
	return strings.NewReplacer(`[^\s`, `[^`+blank, `\s`, `[`+blank+`]`, `\S`, `[^`+blank+`]`).Replace(pattern)
}

// Patterns by which byte-level tokenizers divide text, as in the tokenizer.json
// of the models that they are named after.
const (
	gpt2Words = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	// smollmWords isolates digits first and divides the rest as GPT-2 does, in one
	// pattern: of two, the library repeats what lies before a match of the first.
	smollmWords = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+`
	llama3Words = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Words  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	tekkenWords = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	gpt4oWords  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// words are the patterns of tokenizer.ggml.pre.
var words = map[string]string{
	"gpt-2": gpt2Words, "smollm": smollmWords, "refact": smollmWords, "starcoder": smollmWords,
	"llama-bpe": llama3Words, "llama3": llama3Words, "dbrx": llama3Words, "smaug-bpe": llama3Words,
	"qwen2": qwen2Words, "tekken": tekkenWords, "gpt-4o": gpt4oWords,
}

// general are the architectures whose models come with many tokenizers. The
// library knows few of them and takes another one for the rest.
var general = []string{"llama", "qwen2", "qwen3", "qwen3moe", "gemma3", "olmo3"}

// textTokenizer returns the tokenizer that a GGUF file's keys ask for, in place
// of the library's own where that is another.
func textTokenizer(c fs.Config, own tokenizer.Tokenizer) (tokenizer.Tokenizer, error) {
	pre := c.String("tokenizer.ggml.pre")
	switch c.String("tokenizer.ggml.model") {
	case "llama":
		if c.Bool("tokenizer.ggml.add_space_prefix", !strings.HasPrefix(c.Architecture(), "gemma")) {
			return prefixed{own}, nil
		}
	case "gpt2":
		pattern, known := words[pre]
		switch {
		case known:
			return tokenizer.NewBytePairEncoding(own.Vocabulary(), spaced(pattern)), nil
		case pre == "default" || !slices.Contains(general, c.Architecture()):
			return own, nil
		}
		return nil, fmt.Errorf("tokenizer.ggml.pre is %q: its token ids would be wrong here; score the model through another server, such as llama-server", pre)
	}
	return own, nil
}

// prefixed is a SentencePiece tokenizer that puts a blank before a text, and
// before what follows a special token, as llama.cpp does; the library does not.
type prefixed struct{ tokenizer.Tokenizer }

// Encode implements tokenizer.Tokenizer.
func (p prefixed) Encode(text string, special bool) ([]int32, error) {
	v := p.Vocabulary()
	var ids []int32
	if special && v.AddBOS && len(v.BOS) > 0 {
		ids = append(ids, v.BOS[0])
	}
	for text != "" {
		at, token := firstSpecial(v, text)
		if at > 0 {
			more, err := p.Tokenizer.Encode(" "+text[:at], false)
			if err != nil {
				return nil, err
			}
			ids = append(ids, more...)
		}
		if token != "" {
			ids = append(ids, v.Encode(token))
		}
		text = text[at+len(token):]
	}
	if special && v.AddEOS && len(v.EOS) > 0 {
		ids = append(ids, v.EOS[0])
	}
	return ids, nil
}

// firstSpecial finds the leftmost special token, of those the longest.
func firstSpecial(v *tokenizer.Vocabulary, text string) (at int, token string) {
	at = len(text)
	for _, s := range v.SpecialVocabulary() {
		i := strings.Index(text, s)
		if s != "" && i >= 0 && (i < at || i == at && len(s) > len(token)) {
			at, token = i, s
		}
	}
	return at, token
}

// runnable refuses what the library computes wrongly without saying so.
func runnable(c fs.Config) error {
	scaling := c.String("rope.scaling.type")
	if scaling == "yarn" && slices.Contains([]string{"llama", "qwen2", "gemma2"}, c.Architecture()) {
		return fmt.Errorf("rope scaling %q of architecture %s is not computed here; score the model through another server, such as llama-server", scaling, c.Architecture())
	}
	return nil
}
