package wire

import (
	"errors"
	"math"
	"strings"
	"testing"

	"soup/eval"
)

func TestCheckTokens(t *testing.T) {
	good := []Token{
		{" 16", -0.5, []Choice{{" 16", -0.5}, {" 17", -1.5}}},
		{"63", -1e-9, nil},
		{".", -2, []Choice{{"!", math.Inf(-1)}, {".", -2}}},
	}
	for _, test := range []struct {
		name   string
		text   string
		change func([]Token)
		says   string // "" for no error
	}{
		{"right", " 1663.", nil, ""},
		{"blanks trimmed", "1663.", nil, ""},
		{"stop text cut off", " 1663", nil, ""},
		{"no tokens shown", "x", func(ts []Token) { clear(ts) }, "not that of its tokens"},
		{"a digit", " 1763.", nil, `"1763." is not that of its tokens, "1663."`},
		{"broken character", "x", func(ts []Token) { ts[0].Text = "\uFFFD" }, ""},
		{"above 0", " 1663.", func(ts []Token) { ts[1].LogProb = 0.5 }, "token 2 of 3: .* 0.5 is above 0"},
		{"not a number", " 1663.", func(ts []Token) { ts[1].LogProb = math.NaN() }, "not numbers"},
		{"two ranks", " 1663.", func(ts []Token) { ts[2].Top[0].Text = "." }, "stands twice|log-probabilities"},
		{"two values", " 1663.", func(ts []Token) { ts[0].LogProb = -0.6 }, "log-probabilities -0.6 and -0.5"},
		{"too much", " 1663.", func(ts []Token) { ts[0].Top[1].LogProb = -0.5 }, "add up to 1.2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tokens := make([]Token, len(good))
			for i, g := range good {
				tokens[i] = Token{g.Text, g.LogProb, append([]Choice(nil), g.Top...)}
			}
			if test.change != nil {
				test.change(tokens)
			}
			err := CheckTokens(test.text, tokens)
			if test.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, eval.ErrReply) || !matches(test.says, err.Error()) {
				t.Errorf("error %v, want %s", err, test.says)
			}
		})
	}
	if err := CheckTokens("anything", nil); err != nil {
		t.Error(err)
	}
}

func TestLongestString(t *testing.T) {
	for text, want := range map[string]int{
		``: 0, `{}`: 0, `{"a":"bcd"}`: 3, `{"a":"b\"c\\","d":[1,"ef"]}`: 6, `"unfinished`: 0,
	} {
		if got := longestString([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	if got := longestString([]byte(`["` + strings.Repeat("x", 5000) + `"]`)); got != 5000 {
		t.Errorf("%d", got)
	}
}
