package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Encoder gives the ids of texts. It is safe for concurrent use.
type Encoder struct {
	file      *File
	normal    []func(string) string
	dividers  []divider
	bytes     bool // parts are encoded byte by byte
	metaspace *Step
	ranks     map[[2]string]int
	raw       []Added // found in the text as it is
	late      []Added // found in the normalised text
}

// Encoder prepares a tokenizer. An error names what it does not know.
func (f *File) Encoder() (*Encoder, error) {
	e := &Encoder{file: f, ranks: map[[2]string]int{}}
	m := f.Model
	switch {
	case m.Type != "BPE":
		return nil, fmt.Errorf("model of type %s", m.Type)
	case m.Dropout != nil && *m.Dropout > 0:
		return nil, errors.New("model with dropout")
	case full(m.Prefix) || full(m.Suffix):
		return nil, errors.New("model with marks at the borders of words")
	}
	for i, pair := range m.Merges {
		if _, twice := e.ranks[pair]; !twice {
			e.ranks[pair] = i
		}
	}
	for _, a := range f.Added {
		if a.Normalized {
			e.late = append(e.late, a)
		} else {
			e.raw = append(e.raw, a)
		}
	}
	if err := e.normalizer(f.Normalizer); err != nil {
		return nil, err
	}
	return e, e.pretokenizer()
}

func full(s *string) bool { return s != nil && *s != "" }

func (e *Encoder) normalizer(s *Step) error {
	for _, s := range s.Flat() {
		switch {
		case s.Type == "NFC":
			e.normal = append(e.normal, norm.NFC.String)
		case s.Type == "Replace" && s.Pattern.String != nil:
			e.normal = append(e.normal, func(t string) string { return strings.ReplaceAll(t, *s.Pattern.String, s.Content) })
		case s.Type == "Prepend":
			e.normal = append(e.normal, func(t string) string {
				if t == "" {
					return t
				}
				return s.Prepend + t
			})
		default:
			return fmt.Errorf("normalizer: step %s", s.Type)
		}
	}
	return nil
}

// pretokenizer prepares the steps that divide text.
func (e *Encoder) pretokenizer() error {
	steps := e.file.PreTokenizer.Flat()
	if len(steps) == 1 && steps[0].Type == "Metaspace" {
		e.metaspace = &steps[0]
		return nil
	}
	if len(steps) == 1 && steps[0].Type == "Split" && steps[0].Pattern.String != nil && steps[0].Behavior == "MergedWithPrevious" && !steps[0].Invert {
		e.dividers = []divider{mergedWithPrevious(*steps[0].Pattern.String)}
		return nil
	}
	patterns, bytes, err := e.file.Splits()
	if err != nil {
		return err
	}
	e.bytes = bytes
	for _, p := range patterns {
		d, err := isolated(p)
		if err != nil {
			return err
		}
		e.dividers = append(e.dividers, d)
	}
	return nil
}

// Encode returns the ids of a text; special puts the template around them.
func (e *Encoder) Encode(text string, special bool) ([]int32, error) {
	ids, err := e.text(text)
	if err != nil || !special {
		return ids, err
	}
	before, after, _ := e.file.Around()
	return append(append(before[:len(before):len(before)], ids...), after...), nil
}

// text looks for added tokens, first in the text as it is, then in what lies
// between them after it was normalised.
func (e *Encoder) text(text string) ([]int32, error) {
	var ids []int32
	first := true
	err := e.between(text, e.raw, &ids, func(part string) error {
		for _, n := range e.normal {
			part = n(part)
		}
		return e.between(part, e.late, &ids, func(part string) error {
			more, err := e.words(part, first && len(ids) == 0)
			first = false
			ids = append(ids, more...)
			return err
		})
	})
	return ids, err
}

// between appends the ids of added tokens, and calls do with what lies between
// them. The leftmost wins, of those the longest.
func (e *Encoder) between(text string, added []Added, ids *[]int32, do func(string) error) error {
	for text != "" {
		at, found := len(text), Added{}
		for _, a := range added {
			i := strings.Index(text, a.Content)
			if a.Content != "" && i >= 0 && (i < at || i == at && len(a.Content) > len(found.Content)) {
				at, found = i, a
			}
		}
		if at > 0 {
			if err := do(text[:at]); err != nil {
				return err
			}
		}
		if found.Content == "" {
			return nil
		}
		if found.LeftStrip || found.RightStrip || found.SingleWord {
			return fmt.Errorf("added token %q, which changes the text beside it", found.Content)
		}
		*ids = append(*ids, found.ID)
		text = text[at+len(found.Content):]
	}
	return nil
}

// words divides text without added tokens and encodes the parts.
func (e *Encoder) words(text string, first bool) ([]int32, error) {
	parts := []string{text}
	if e.metaspace != nil {
		parts = e.metaspaced(text, first)
	}
	for _, divide := range e.dividers {
		var finer []string
		for _, p := range parts {
			more, err := divide(p)
			if err != nil {
				return nil, err
			}
			finer = append(finer, more...)
		}
		parts = finer
	}
	var ids []int32
	for _, p := range parts {
		if e.bytes {
			p = asRunes(p)
		}
		ids = append(ids, e.word(p)...)
	}
	return ids, nil
}

// metaspaced marks blanks, and the beginning of the text, with a rune.
func (e *Encoder) metaspaced(text string, first bool) []string {
	s := e.metaspace
	text = strings.ReplaceAll(text, " ", s.Replacement)
	prepends := s.PrependScheme == "always" || s.PrependScheme == "first" && first
	if s.PrependScheme == "" {
		prepends = truth(s.AddPrefixSpace, true)
	}
	if prepends && !strings.HasPrefix(text, s.Replacement) {
		text = s.Replacement + text
	}
	if !truth(s.Split, true) {
		return []string{text}
	}
	parts, _ := mergedWithNext(s.Replacement)(text) // never fails
	return parts
}

// word encodes one part: its runes, joined in the order of the merges.
func (e *Encoder) word(text string) []int32 {
	m := e.file.Model
	if id, ok := m.IDs[text]; ok && m.IgnoreMerges {
		return []int32{id}
	}
	symbols := e.symbols(text)
	for len(symbols) > 1 {
		best, at := len(m.Merges), -1
		for i := range len(symbols) - 1 {
			if rank, ok := e.ranks[[2]string{symbols[i], symbols[i+1]}]; ok && rank < best {
				best, at = rank, i
			}
		}
		if at < 0 {
			break
		}
		symbols[at] += symbols[at+1]
		symbols = append(symbols[:at+1], symbols[at+2:]...)
	}
	return e.ids(symbols)
}

// symbols are the runes of a part; of one that the vocabulary lacks, the tokens
// of its bytes or the unknown token.
func (e *Encoder) symbols(text string) []string {
	m := e.file.Model
	var out []string
	unknown := false
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRuneInString(text[at:])
		r := text[at : at+size]
		at += size
		if _, ok := m.IDs[r]; ok {
			out, unknown = append(out, r), false
			continue
		}
		if bytes, ok := e.byteTokens(r); ok && m.ByteFallback {
			out, unknown = append(out, bytes...), false
			continue
		}
		if m.Unknown != nil && (!unknown || !m.FuseUnknown) {
			out = append(out, *m.Unknown)
		}
		unknown = true
	}
	return out
}

func (e *Encoder) byteTokens(r string) (tokens []string, all bool) {
	for i := range len(r) {
		t := fmt.Sprintf("<0x%02X>", r[i])
		if _, ok := e.file.Model.IDs[t]; !ok {
			return nil, false
		}
		tokens = append(tokens, t)
	}
	return tokens, true
}

func (e *Encoder) ids(symbols []string) []int32 {
	var ids []int32
	for _, s := range symbols {
		if id, ok := e.file.Model.IDs[s]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// asRunes writes each byte as a visible rune, as GPT-2 does:
// https://github.com/openai/gpt-2/blob/master/src/encoder.py (bytes_to_unicode)
func asRunes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(byteRunes[s[i]])
	}
	return b.String()
}

// byteRunes: printable bytes of Latin-1 stand for themselves, the others for
// the runes from 256 on.
var byteRunes = func() (table [256]rune) {
	next := rune(256)
	for b := range 256 {
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			table[b] = rune(b)
			continue
		}
		table[b] = next
		next++
	}
	return table
}()
