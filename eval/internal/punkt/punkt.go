// Package punkt divides English texts into sentences and words as NLTK 3.10.4
// does (https://github.com/nltk/nltk, nltk/tokenize/punkt.py and destructive.py;
// Kiss and Strunk 2006, https://aclanthology.org/J06-4003): official scorers
// count what it returns.
//
// The model is that of NLTK's punkt_tab, English, from
// github.com/neurosnap/sentences. That package's own tokenizer is not used: it
// is no port of this version, and its model has one word more.
package punkt

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/neurosnap/sentences/data"
)

// Where a word was seen in training, and with which case.
const (
	middleUpper   = 1 << 2
	beginLower    = 1 << 4
	anywhereUpper = 1<<1 | 1<<2 | 1<<3
	anywhereLower = 1<<4 | 1<<5 | 1<<6
)

// model is what was learned from a corpus.
type model struct {
	Abbreviations map[string]int `json:"AbbrevTypes"`  // without the final period
	Collocations  map[string]int `json:"Collocations"` // two words with a comma between them
	Starters      map[string]int `json:"SentStarters"` // words that often begin a sentence
	Contexts      map[string]int `json:"OrthoContext"` // bits, see above
}

var english = sync.OnceValue(func() *model {
	raw, err := data.Asset("data/english.json")
	if err != nil {
		panic("punkt: the model is missing: " + err.Error())
	}
	m := &model{}
	if err := json.Unmarshal(raw, m); err != nil {
		panic("punkt: the model is broken: " + err.Error())
	}
	delete(m.Starters, "she") // not in NLTK's
	return m
})

// span is a piece of a text, in runes.
type span struct{ from, to int }

// candidate is a place where a sentence may end.
type candidate struct {
	at    int  // of the period, question or exclamation mark
	next  int  // where the next token begins after white space; 0 if it follows at once
	after span // what stands behind it: one mark, or white space and a token
}

// Sentences divides a text. White space between sentences belongs to none.
func Sentences(text string) []string {
	runes := []rune(text)
	spans := realign(runes, english().spans(runes))
	sentences := make([]string, len(spans))
	for i, s := range spans {
		sentences[i] = string(runes[s.from:s.to])
	}
	return sentences
}

// spans are the sentences before closing marks are put to where they belong.
func (m *model) spans(text []rune) []span {
	var spans []span
	from := 0
	for _, c := range contexts(text) {
		if !m.endsWithin(c.text) {
			continue
		}
		spans = append(spans, span{from, c.at + 1})
		from = c.at + 1
		if c.next > 0 {
			from = c.next
		}
	}
	end := len(text)
	for end > 0 && isPythonSpace(text[end-1]) {
		end--
	}
	return append(spans, span{from, max(from, end)})
}

// context is a candidate with the word before it and what follows, as text.
type context struct {
	candidate
	text string
}

// contexts are the candidates that do not share their word with a later one.
func contexts(text []rune) []context {
	var found []context
	var last *candidate
	var word span
	keep := func() {
		found = append(found, context{*last, string(text[word.from:word.to]) + string(text[last.at:last.after.to])})
	}
	for _, c := range candidates(text) {
		start := word.from
		if i := lastSpace(text[word.to:c.at]); i > 0 {
			start = word.to + i + 1
		}
		if last != nil && word.to <= start {
			keep()
		}
		last, word = &c, span{start, c.at}
	}
	if last != nil {
		keep()
	}
	return found
}

// lastSpace is the index of the last white space of ASCII, 0 if there is none.
func lastSpace(text []rune) int {
	for i := len(text) - 1; i >= 0; i-- {
		if strings.ContainsRune(" \t\n\r\v\f", text[i]) {
			return i
		}
	}
	return 0
}

func candidates(text []rune) []candidate {
	var found []candidate
	for i, r := range text {
		if r != '.' && r != '?' && r != '!' || i+1 == len(text) {
			continue
		}
		if isNonWord(text[i+1]) {
			found = append(found, candidate{at: i, after: span{i + 1, i + 2}})
			continue
		}
		next := i + 1
		for next < len(text) && isSpace(text[next]) {
			next++
		}
		if next == i+1 || next == len(text) {
			continue
		}
		end := next
		for end < len(text) && !isSpace(text[end]) {
			end++
		}
		found = append(found, candidate{at: i, next: next, after: span{i + 1, end}})
	}
	return found
}

// realign gives closing quotes and brackets at the beginning of a sentence to the
// one before.
func realign(text []rune, spans []span) []span {
	var out []span
	moved := 0
	for i, s := range spans {
		s.from += moved
		if i+1 < len(spans) {
			next := spans[i+1]
			if marks, all := closing(text[next.from:next.to]); marks > 0 {
				out = append(out, span{s.from, next.from + marks})
				moved = all
				continue
			}
		}
		moved = 0
		if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

// closing counts the closing marks that a text begins with if white space, two
// hyphens or the end follow; all counts that white space as well.
func closing(text []rune) (marks, all int) {
	for n := 1; n <= len(text) && strings.ContainsRune("\"')]}\u2018\u2019\u201c\u201d\u00ab\u00bb", text[n-1]); n++ {
		all = n
		for all < len(text) && isSpace(text[all]) {
			all++
		}
		if all > n || n == len(text) || n+1 < len(text) && text[n] == '-' && text[n+1] == '-' {
			return n, all
		}
	}
	return 0, 0
}
