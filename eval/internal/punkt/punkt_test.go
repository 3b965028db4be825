package punkt

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Expected: NLTK 3.10.4. eval's golden lines and its anchors have many more.
func TestSentences(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"Mr. Lamp met Dr. J. Stone at 5 p.m. on Monday. It rained.", []string{"Mr. Lamp met Dr. J.", "Stone at 5 p.m. on Monday.", "It rained."}},
		{"He left (at nine.) She stayed!", []string{"He left (at nine.)", "She stayed!"}},
		{"\"Why?\" he asked. \"Because ...\" No. 5 is open.", []string{"\"Why?\"", "he asked.", "\"Because ...\" No.", "5 is open."}},
		{"A. B. Cole sells U.S. goods. the rest stays. Costs 3.5. So?", []string{"A.", "B. Cole sells U.S. goods.", "the rest stays.", "Costs 3.5.", "So?"}},
		{"no end", []string{"no end"}},
		{"  ", []string{}},
		{"One!!! Two?? three... Four . . . five.", []string{"One!!!", "Two??", "three... Four .", ".", ".", "five."}},
		{"He said “go.” Then he went.--Away", []string{"He said “go.”", "Then he went.--Away"}},
	} {
		if got := Sentences(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"I can't say \"it's\" CANNOT; gonna, NASA's (U.S.) 3,000 a:b 1:2.", "I ca n't say `` it 's '' CAN NOT ; gon na , NASA 's ( U.S. ) 3,000 a : b 1:2 ."},
		{"'Tis the dog's 'bone' -- rock'n'roll... D'ye see?", "' Tis the dog 's ' bone ' -- rock'n'roll ... D 'ye see ?"},
		{"cost $5, 20%: <b>x</b> “yes.”", "cost $ 5 , 20 % : < b > x < /b > “ yes . ”"},
	} {
		if got := strings.Join(Words(c.text), " "); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	if n := Count("o'clock नमस्ते a_b ½ 3.5 "); n != 6 {
		t.Errorf("%d words, want 6", n)
	}
}

// Sentences are pieces of the text in its order, and between them is nothing but
// white space.
func TestSentencesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aB.?! \n\"')(-,:;’”1")), 0, 60, -1).Draw(t, "text")
		rest := text
		for _, s := range Sentences(text) {
			before, after, found := strings.Cut(rest, s)
			if !found || strings.TrimFunc(before, isPythonSpace) != "" {
				t.Fatalf("%q: sentence %q does not follow", text, s)
			}
			rest = after
		}
		if strings.TrimFunc(rest, isPythonSpace) != "" {
			t.Fatalf("%q: %q is left over", text, rest)
		}
	})
}

func FuzzSentences(f *testing.F) {
	f.Add("Mr. Lamp left. It rained.")
	f.Fuzz(func(_ *testing.T, text string) {
		Sentences(text)
		Words(text)
	})
}
