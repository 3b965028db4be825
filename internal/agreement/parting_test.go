//go:build servers

package agreement

import (
	"fmt"
	"math"
	"sort"
	"testing"
	"unicode/utf8"
)

// complete is a text without the character that its last tokens have begun:
// programs show its bytes, a replacement for them, or nothing.
func complete(text string) string {
	for text != "" {
		r, size := utf8.DecodeLastRuneInString(text)
		if r != utf8.RuneError {
			break
		}
		text = text[:len(text)-size]
	}
	return text
}

// budget is how many tokens a runner is given: one more where the model itself
// ended the answer, so that it must do so again.
func budget(a answer) int {
	if a.Ended {
		return len(a.Tokens) + 1
	}
	return len(a.Tokens)
}

// upTo is the beginning of an answer that a runner gave up on: the tokens that
// it did say. An answer without any is none.
func (a answer) upTo(text string, whole bool) answer {
	if whole || text == "" {
		return a
	}
	n := sort.SearchInts(a.Ends, len(text)) + 1
	if n < len(a.Ends) {
		a.Tokens, a.Margins, a.Ends, a.Text = a.Tokens[:n], a.Margins[:n], a.Ends[:n], a.Text[:a.Ends[n-1]]
	}
	return a
}

// parting is where a text leaves the reference: the number of the token (-1 if
// it does not) and how far the reference's choice was above its second best.
// Where several tokens make one character, it is the one with the least margin.
func (a answer) parting(text string) (token int, margin float64) {
	if text == a.Text {
		return -1, 0
	}
	first, last := a.character(text)
	token, margin = first, math.Inf(1)
	for k := first; k <= last && k < len(a.Margins); k++ {
		if a.Margins[k] < margin {
			token, margin = k, a.Margins[k]
		}
	}
	return token, margin
}

// character is the first and the last token of the first character that is not
// in the text; the number of tokens where the text goes on after the answer.
func (a answer) character(text string) (first, last int) {
	same := 0
	for same < min(len(text), len(a.Text)) && text[same] == a.Text[same] {
		same++
	}
	for k, end := range a.Ends {
		if end > same {
			return first, k
		}
		if k == 0 || end > a.Ends[k-1] {
			first = k + 1
		}
	}
	return first, len(a.Ends)
}

func (a answer) whereItParts(text string) string {
	k, margin := a.parting(text)
	if k < 0 || len(a.Margins) == 0 {
		return ""
	}
	return fmt.Sprintf("\nthey part at token %d of %d, where the best logit is %.4f above the second", k+1, len(a.Tokens), margin)
}

// score counts equal texts and what was said before texts parted.
type score struct {
	texts, equal   int
	tokens, before int
	widest         float64 // margin at a parting
}

func (s *score) count(t *testing.T, a answer, text string) {
	t.Helper()
	s.texts++
	s.tokens += len(a.Tokens)
	k, margin := a.parting(text)
	if k < 0 {
		s.equal++
		s.before += len(a.Tokens)
		return
	}
	s.before += k
	s.widest = max(s.widest, margin)
	t.Logf("%.40q:%s", a.Prompt, a.whereItParts(text))
}

func (s score) String() string {
	return fmt.Sprintf("%d of %d texts equal, %d of %d tokens before a parting, widest margin at a parting %.4f",
		s.equal, s.texts, s.before, s.tokens, s.widest)
}

func TestParting(t *testing.T) {
	// The third and the fourth token make one character of two bytes.
	a := answer{Tokens: []int{7, 8, 9, 10, 11}, Text: "abcé!", Ends: []int{2, 3, 3, 5, 6}, Margins: []float64{5, 0.25, 2, 1, 7, 0.5}}
	for _, c := range []struct {
		text   string
		token  int
		margin float64
	}{
		{"abcé!", -1, 0}, {"abXé!", 1, 0.25}, {"ab", 1, 0.25}, {"", 0, 5}, {"abcè!", 3, 1}, {"abc", 3, 1}, {"abcé?", 4, 7}, {"abcé!!", 5, 0.5},
	} {
		if token, margin := a.parting(c.text); token != c.token || margin != c.margin {
			t.Errorf("%q parts at %d, margin %g; not at %d, %g", c.text, token, margin, c.token, c.margin)
		}
	}
	for text, want := range map[string]string{"ab": "ab", "abc": "abc", "": "abcé!", "abcé!": "abcé!"} {
		if got := a.upTo(text, false).Text; got != want {
			t.Errorf("up to %q: %q, not %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"ab": "ab", "": "", "ab\xd0": "ab", "ab\ufffd": "ab", "é\xe4\xbd": "é"} {
		if got := complete(text); got != want {
			t.Errorf("the complete part of %q: %q, not %q", text, got, want)
		}
	}
	if got := a.upTo("ab", true).Text; got != a.Text {
		t.Errorf("a whole answer was cut to %q", got)
	}
}
