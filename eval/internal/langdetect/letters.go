package langdetect

import (
	"strings"
	"unicode"
)

// letters says which characters count as one.
type letters struct {
	han    map[rune]rune    // to the first of its group
	none   string           // of Latin-1: no letters
	joined map[[2]rune]rune // Vietnamese letter and mark, to one character
}

func newLetters(sameHan []string, none string) letters {
	l := letters{han: map[rune]rune{}, none: none, joined: map[[2]rune]rune{}}
	for _, group := range sameHan {
		all := []rune(group)
		for _, r := range all {
			l.han[r] = all[0]
		}
	}
	return l
}

func (l *letters) joinMarks(bare, marks string, joined []string) {
	for i, mark := range []rune(marks) {
		row := []rune(joined[i])
		for j, letter := range []rune(bare) {
			l.joined[[2]rune{letter, mark}] = row[j]
		}
	}
}

// join puts Vietnamese letters and their marks together.
func (l *letters) join(text []rune) []rune {
	out := make([]rune, 0, len(text))
	for i := 0; i < len(text); i++ {
		if i+1 < len(text) {
			if r, ok := l.joined[[2]rune{text[i], text[i+1]}]; ok {
				out = append(out, r)
				i++
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// normal is the character that stands for r in the profiles.
func (l *letters) normal(r rune) rune {
	switch {
	case r < 0x80:
		if r < 'A' || 'Z' < r && r < 'a' || 'z' < r {
			return ' '
		}
	case r < 0x100:
		if strings.ContainsRune(l.none, r) {
			return ' '
		}
	case r == 0x219: // Romanian s and t with a comma below, to those with a cedilla
		return 0x15f
	case r == 0x21b:
		return 0x163
	case r == 0x6cc: // Persian yeh, to the Arabic one
		return 0x64a
	case 0x1ea0 <= r && r < 0x1f00: // Vietnamese
		return 0x1ec3
	case 0x2000 <= r && r < 0x2070: // punctuation
		return ' '
	case 0x3040 <= r && r < 0x30a0: // hiragana
		return 0x3042
	case 0x30a0 <= r && r < 0x3100: // katakana
		return 0x30a2
	case 0x3100 <= r && r < 0x3130, 0x31a0 <= r && r < 0x31c0: // bopomofo
		return 0x3105
	case 0x4e00 <= r && r < 0xa000:
		if first, ok := l.han[r]; ok {
			return first
		}
	case 0xac00 <= r && r < 0xd7b0: // hangul
		return 0xac00
	}
	return r
}

// window holds the last three letters of the word that is being read, with the
// space before it.
type window struct {
	letters *letters
	last    []rune
	capital bool // two capitals stood together: its n-grams do not count
}

func newWindow(l *letters) *window { return &window{letters: l, last: []rune{' '}} }

// add reads a character and returns the n-grams that end with it, shortest first.
func (w *window) add(r rune) []string {
	r = w.letters.normal(r)
	before := w.last[len(w.last)-1]
	if before == ' ' {
		w.last, w.capital = []rune{' '}, false
		if r == ' ' {
			return nil
		}
	} else if len(w.last) == 3 {
		w.last = w.last[1:]
	}
	w.last = append(w.last, r)
	if !isUpper(r) {
		w.capital = false
	} else if isUpper(before) {
		w.capital = true
	}
	if w.capital {
		return nil
	}
	grams := make([]string, len(w.last))
	for n := range grams {
		grams[n] = string(w.last[len(w.last)-n-1:])
	}
	return grams
}

func isUpper(r rune) bool { return unicode.In(r, unicode.Lu, unicode.Other_Uppercase) }
