package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"soup/merge/internal/remedy"
	"soup/merge/tokenizer"
)

// Types of tokens: llama_token_type of
// https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
const (
	normalToken int32 = 1 + iota
	unknownToken
	controlToken
	userToken
	unusedToken
	byteToken
)

// vocabulary is a tokenizer as GGUF holds it.
type vocabulary struct {
	model  string // "gpt2": byte-level BPE; "llama": SentencePiece
	pre    string
	tokens []string
	types  []int32
	scores []float32 // of SentencePiece
	merges []string  // of BPE
	prefix bool      // SentencePiece: a blank goes before the text
}

// readVocabulary reads a directory's tokenizer. SentencePiece's tokenizer.model
// has the scores; tokenizer.json, where it is there, everything else.
func readVocabulary(dir string) (*vocabulary, *tokenizer.File, error) {
	f, err := tokenizer.Read(dir)
	if err != nil && !errors.Is(err, tokenizer.ErrNone) {
		return nil, nil, err
	}
	pieces, pieceErr := readSentencePiece(dir)
	if pieceErr != nil {
		return nil, nil, pieceErr
	}
	switch {
	case f == nil && pieces == nil:
		return nil, nil, remedy.Errorf("copy the tokenizer's files from the model's page", "%s: no tokenizer.json and no tokenizer.model", dir)
	case f == nil:
		return pieces.vocabulary(), nil, nil
	}
	v, err := vocabularyOf(f, pieces)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	return v, f, nil
}

// vocabularyOf reads a tokenizer.json.
func vocabularyOf(f *tokenizer.File, pieces *sentencePiece) (*vocabulary, error) {
	if f.Model.Type != "BPE" {
		return nil, remedy.Errorf(elsewhere, "tokenizer.json: model of type %s is not converted", f.Model.Type)
	}
	v := &vocabulary{model: "gpt2"}
	if err := v.fill(f); err != nil {
		return nil, err
	}
	if f.Model.ByteFallback {
		v.model, v.pre = "llama", "default"
		return v, v.sentencePiece(f, pieces)
	}
	for _, m := range f.Model.Merges {
		v.merges = append(v.merges, m[0]+" "+m[1])
	}
	var err error
	v.pre, err = preTokenizerOf(f)
	return v, err
}

// fill lays out tokens by id; ids that nobody has are padding.
func (v *vocabulary) fill(f *tokenizer.File) error {
	n := f.Size()
	if n > 1<<24 {
		return fmt.Errorf("tokenizer.json: token id %d is too large", n-1)
	}
	v.tokens, v.types = make([]string, n), make([]int32, n)
	for token, id := range f.Model.IDs {
		if id < 0 {
			return fmt.Errorf("tokenizer.json: token %q has id %d", token, id)
		}
		v.tokens[id], v.types[id] = token, normalToken
	}
	for _, a := range f.Added {
		if a.ID < 0 {
			return fmt.Errorf("tokenizer.json: token %q has id %d", a.Content, a.ID)
		}
		v.tokens[a.ID], v.types[a.ID] = a.Content, userToken
		if a.Special {
			v.types[a.ID] = controlToken
		}
	}
	for i, t := range v.types {
		if t == 0 {
			v.tokens[i], v.types[i] = padding(i), unusedToken
		}
	}
	return nil
}

func padding(id int) string { return fmt.Sprintf("[PAD%d]", id) }

// pad fills up to the number of rows of the embeddings.
func (v *vocabulary) pad(rows int) error {
	if len(v.tokens) > rows {
		return remedy.Errorf("take tokenizer and weights from the same checkpoint", "tokenizer has %d tokens, the embeddings only %d rows", len(v.tokens), rows)
	}
	for i := len(v.tokens); i < rows; i++ {
		v.tokens, v.types = append(v.tokens, padding(i)), append(v.types, unusedToken)
		if v.scores != nil {
			v.scores = append(v.scores, -10000)
		}
	}
	return nil
}

// sentencePiece completes a vocabulary with bytes to fall back on.
func (v *vocabulary) sentencePiece(f *tokenizer.File, pieces *sentencePiece) (err error) {
	for i, t := range v.tokens {
		switch {
		case v.types[i] != normalToken:
		case len(t) == 6 && strings.HasPrefix(t, "<0x") && t[5] == '>':
			v.types[i] = byteToken
		}
		if f.Model.Unknown != nil && t == *f.Model.Unknown {
			v.types[i] = unknownToken
		}
	}
	if v.prefix, err = prefixed(f); err != nil {
		return err
	}
	if pieces != nil {
		return v.takeScores(pieces)
	}
	return v.rank(f)
}

// prefixed says whether a blank goes before the text, and refuses normalisers
// and pre-tokenisers that SentencePiece models do not have.
func prefixed(f *tokenizer.File) (bool, error) {
	prefix := false
	for _, s := range f.Normalizer.Flat() {
		switch {
		case s.Type == "Prepend" && s.Prepend == "▁":
			prefix = true
		case s.Type == "Replace" && s.Pattern.String != nil && *s.Pattern.String == " " && s.Content == "▁":
		default:
			return false, remedy.Errorf(elsewhere, "tokenizer.json: normalizer %s; readers of GGUF do not know it", s.Type)
		}
	}
	for _, s := range f.PreTokenizer.Flat() {
		switch {
		case s.Type == "Metaspace" && s.Replacement == "▁":
			prefix = prefix || s.PrependScheme == "always" || s.PrependScheme == "first" || s.PrependScheme == "" && (s.AddPrefixSpace == nil || *s.AddPrefixSpace)
		case s.Type == "Split" && s.Pattern.String != nil && *s.Pattern.String == " ": // nothing is left to split: blanks are replaced before
		default:
			return false, remedy.Errorf(elsewhere, "tokenizer.json: pre-tokenizer %s of a SentencePiece model; readers of GGUF do not know it", s.Type)
		}
	}
	return prefix, nil
}

// takeScores copies the scores of tokenizer.model.
func (v *vocabulary) takeScores(pieces *sentencePiece) error {
	v.scores = make([]float32, len(v.tokens))
	for i := range v.scores {
		v.scores[i] = -1000 // of added tokens
		if i >= len(pieces.tokens) {
			continue
		}
		if v.types[i] == normalToken && v.tokens[i] != pieces.tokens[i] {
			return remedy.Errorf("copy both from the model's page", "token %d is %q in tokenizer.json and %q in tokenizer.model", i, v.tokens[i], pieces.tokens[i])
		}
		v.scores[i] = pieces.scores[i]
	}
	return nil
}

// rank makes scores of the order of the merges: readers join the pair whose
// whole has the highest score, tokenizer.json the pair that comes first. The two
// agree where every pair that makes a token is a merge, and those that make the
// same token follow one another; for others there is no score that would do.
func (v *vocabulary) rank(f *tokenizer.File) error {
	v.scores = make([]float32, len(v.tokens))
	for i := range v.scores {
		v.scores[i] = -1e6 // no merge makes it
	}
	listed := map[[2]string]bool{}
	made := map[string]bool{}
	last, distinct := "", 0
	for _, m := range f.Model.Merges {
		whole := m[0] + m[1]
		listed[m] = true
		if whole == last {
			continue
		}
		if made[whole] {
			return remedy.Errorf("add the model's tokenizer.model", "tokenizer.json: merges that make %q are apart; without tokenizer.model its scores are not known", whole)
		}
		distinct++
		made[whole], last = true, whole
		if id, ok := f.Model.IDs[whole]; ok {
			v.scores[id] = -float32(distinct)
		}
	}
	return unlisted(f, listed, made)
}

// unlisted refuses a vocabulary where two tokens make a third, but no merge
// says so: readers of GGUF would join them.
func unlisted(f *tokenizer.File, listed map[[2]string]bool, made map[string]bool) error {
	var wrong []string
	for token := range f.Model.IDs {
		for at := range token {
			pair := [2]string{token[:at], token[at:]}
			_, left := f.Model.IDs[pair[0]]
			_, right := f.Model.IDs[pair[1]]
			if at > 0 && left && right && !listed[pair] && !isAdded(f, token, pair) {
				wrong = append(wrong, pair[0]+" "+pair[1])
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return remedy.Errorf("add the model's tokenizer.model, or "+elsewhere, "tokenizer.json: %d pairs of tokens make a token but are not merges, the first %q: readers of GGUF would join them", len(wrong), wrong[0])
}

// isAdded says whether one of a pair, or what it makes, never takes part in
// merges, because it is found in the text before, or is the token of a byte.
func isAdded(f *tokenizer.File, token string, pair [2]string) bool {
	return slices.ContainsFunc(f.Added, func(a tokenizer.Added) bool {
		return a.Content == token || a.Content == pair[0] || a.Content == pair[1]
	})
}

// metadata writes the vocabulary's keys.
func (v *vocabulary) metadata(m metadata) {
	m["tokenizer.ggml.model"] = v.model
	m["tokenizer.ggml.pre"] = v.pre
	m["tokenizer.ggml.tokens"] = v.tokens
	m["tokenizer.ggml.token_type"] = v.types
	if v.model == "llama" {
		m["tokenizer.ggml.scores"] = v.scores
		m["tokenizer.ggml.add_space_prefix"] = v.prefix
		return
	}
	m["tokenizer.ggml.merges"] = v.merges
}
