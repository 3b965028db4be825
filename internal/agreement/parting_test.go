//go:build servers

package agreement

import (
	"fmt"
	"sort"
	"testing"
)

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
func (a answer) parting(text string) (token int, margin float64) {
	if text == a.Text {
		return -1, 0
	}
	same := 0
	for same < min(len(text), len(a.Text)) && text[same] == a.Text[same] {
		same++
	}
	for k, end := range a.Ends {
		if same < end {
			return k, a.Margins[k]
		}
	}
	return len(a.Ends), 0
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
	a := answer{Tokens: []int{7, 8, 9}, Text: "abcdef", Ends: []int{2, 3, 6}, Margins: []float64{5, 0.25, 7}}
	for _, c := range []struct {
		text   string
		token  int
		margin float64
	}{
		{"abcdef", -1, 0}, {"abXdef", 1, 0.25}, {"ab", 1, 0.25}, {"", 0, 5}, {"abcdefg", 3, 0}, {"abcdeX", 2, 7},
	} {
		if token, margin := a.parting(c.text); token != c.token || margin != c.margin {
			t.Errorf("%q parts at %d, margin %g; not at %d, %g", c.text, token, margin, c.token, c.margin)
		}
	}
	for text, want := range map[string]string{"ab": "ab", "abc": "abc", "": "abcdef", "abcdef": "abcdef"} {
		if got := a.upTo(text, false).Text; got != want {
			t.Errorf("up to %q: %q, not %q", text, got, want)
		}
	}
	if got := a.upTo("ab", true).Text; got != a.Text {
		t.Errorf("a whole answer was cut to %q", got)
	}
}
