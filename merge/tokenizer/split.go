package tokenizer

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// WordPattern is how a ByteLevel step divides text where it is not told
// otherwise: the pattern of GPT-2.
const WordPattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// Splits returns the regular expressions by which a byte-level pre-tokeniser
// divides text, one after the other, and whether the parts are encoded byte by
// byte. An error names the step that is not of this kind.
func (f *File) Splits() (patterns []string, byteLevel bool, err error) {
	for _, s := range f.PreTokenizer.Flat() {
		if byteLevel {
			return nil, false, fmt.Errorf("pre-tokenizer: %s after ByteLevel", s.Type)
		}
		switch {
		case s.Type == "Split" && s.Pattern.Regex != nil && isolating(s):
			patterns = append(patterns, *s.Pattern.Regex)
		case s.Type == "Split" && s.Pattern.String != nil && isolating(s):
			patterns = append(patterns, regexp.QuoteMeta(*s.Pattern.String))
		case s.Type == "Digits" && s.IndividualDigits:
			patterns = append(patterns, `\p{N}`)
		case s.Type == "Digits":
			patterns = append(patterns, `\p{N}+`)
		case s.Type == "ByteLevel" && !truth(s.AddPrefixSpace, true):
			byteLevel = true
			if truth(s.UseRegex, true) {
				patterns = append(patterns, WordPattern)
			}
		case s.Type == "ByteLevel":
			return nil, false, fmt.Errorf("pre-tokenizer: ByteLevel that puts a blank before every text")
		default:
			return nil, false, fmt.Errorf("pre-tokenizer: step %s (behavior %q, invert %t)", s.Type, s.Behavior, s.Invert)
		}
	}
	return patterns, byteLevel, nil
}

// isolating says whether a split keeps matches and what lies between them. To
// remove what does not match comes to the same where everything matches.
func isolating(s Step) bool {
	return s.Behavior == "Isolated" && !s.Invert || s.Behavior == "Removed" && s.Invert
}

// Flat returns a step, or the steps of nested sequences in order; none of nil.
func (s *Step) Flat() []Step {
	if s == nil {
		return nil
	}
	if s.Type != "Sequence" {
		return []Step{*s}
	}
	var all []Step
	for _, inner := range append(s.PreTokenizers, s.Normalizers...) {
		all = append(all, inner.Flat()...)
	}
	return all
}

func truth(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// divider cuts a text into parts.
type divider func(text string) ([]string, error)

// isolated cuts at every match, which is a part of its own.
func isolated(pattern string) (divider, error) {
	re, err := regexp2.Compile(pattern, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("pre-tokenizer: pattern %q: %w", pattern, err)
	}
	return func(text string) ([]string, error) {
		runes := []rune(text)
		var parts []string
		at := 0
		m, err := re.FindRunesMatch(runes)
		for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
			if m.Length == 0 {
				continue
			}
			if m.Index > at {
				parts = append(parts, string(runes[at:m.Index]))
			}
			at = m.Index + m.Length
			parts = append(parts, string(runes[m.Index:at]))
		}
		if at < len(runes) {
			parts = append(parts, string(runes[at:]))
		}
		return parts, err
	}, nil
}

// mergedWithNext cuts before every occurrence of a text.
func mergedWithNext(mark string) divider {
	return func(text string) ([]string, error) {
		var parts []string
		for text != "" {
			_, size := utf8.DecodeRuneInString(text)
			next := strings.Index(text[size:], mark)
			if next < 0 {
				return append(parts, text), nil
			}
			parts = append(parts, text[:size+next])
			text = text[size+next:]
		}
		return parts, nil
	}
}

// mergedWithPrevious cuts after every occurrence of a text.
func mergedWithPrevious(mark string) divider {
	return func(text string) ([]string, error) {
		parts := strings.SplitAfter(text, mark)
		if parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		return parts, nil
	}
}
