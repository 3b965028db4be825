package eval

import "strings"

// tokenF1 is metric f1: the harmonic mean of precision and recall of the
// answer's words, as in SQuAD's evaluate-v2.0.py
// (https://rajpurkar.github.io/SQuAD-explorer): lower case, no ASCII
// punctuation, no articles, words between white space, each counted as often as
// both texts have it.
type tokenF1 struct{ answered }

func (tokenF1) Score(it Item, answer string) float64 {
	got := squadWords(answer)
	return best(it, func(ref string) float64 { return wordF1(got, squadWords(ref)) })
}

func wordF1(got, want []string) float64 {
	if len(got) == 0 || len(want) == 0 {
		return oneIf(len(got) == len(want))
	}
	left := map[string]int{}
	for _, w := range want {
		left[w]++
	}
	both := 0
	for _, w := range got {
		if left[w] > 0 {
			left[w]--
			both++
		}
	}
	return 2 * float64(both) / float64(len(got)+len(want))
}

func squadWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			return -1
		}
		return r
	}, strings.ToLower(text))
	words := strings.Fields(text)
	kept := words[:0]
	for _, w := range words {
		if w != "a" && w != "an" && w != "the" {
			kept = append(kept, w)
		}
	}
	return kept
}
