package eval

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// chrf is the similarity of answer and reference by character n-grams, for
// translations: sentence chrF2 as sacreBLEU computes it by default
// (https://github.com/mjpost/sacrebleu, metrics/chrf.py; Popović 2015,
// https://aclanthology.org/W15-3049), from 0 to 1 instead of 100.
//
// White space is removed. Precision and recall are averaged over the orders of
// which both texts have n-grams, then joined with recall counting twice.
type chrf struct{ answered }

const (
	chrfOrder = 6 // n-grams of 1 to 6 characters
	chrfBeta2 = 4 // beta 2, squared
)

func (chrf) Score(it Item, answer string) float64 {
	return best(it, func(ref string) float64 { return chrF(answer, ref) })
}

func chrF(hypothesis, reference string) float64 {
	hyp, ref := removeSpace(hypothesis), removeSpace(reference)
	precision, recall, orders := 0.0, 0.0, 0
	for n := range min(chrfOrder, len(hyp.at)-1, len(ref.at)-1) {
		ofHyp, ofRef, both := countNgrams(hyp, ref, n+1)
		precision += float64(both) / float64(ofHyp)
		recall += float64(both) / float64(ofRef)
		orders++
	}
	if precision+recall == 0 {
		return 0
	}
	precision, recall = precision/float64(orders), recall/float64(orders)
	return (1 + chrfBeta2) * precision * recall / (chrfBeta2*precision + recall)
}

// characters is a text with the offset of each character and of its end.
type characters struct {
	text string
	at   []int
}

func removeSpace(text string) characters {
	text = strings.ToValidUTF8(strings.Join(strings.FieldsFunc(text, isPythonSpace), ""), "\uFFFD")
	at := make([]int, 0, utf8.RuneCountInString(text)+1)
	for i := range text {
		at = append(at, i)
	}
	return characters{text, append(at, len(text))}
}

// countNgrams returns how many n-grams each text has and how many they share,
// each as often as both have it.
func countNgrams(hyp, ref characters, n int) (ofHyp, ofRef, both int) {
	left := map[string]int{}
	for i := range len(ref.at) - n {
		left[ref.text[ref.at[i]:ref.at[i+n]]]++
	}
	for i := range len(hyp.at) - n {
		gram := hyp.text[hyp.at[i]:hyp.at[i+n]]
		if left[gram] > 0 {
			left[gram]--
			both++
		}
	}
	return len(hyp.at) - n, len(ref.at) - n, both
}

// isPythonSpace is what str.split divides at: Unicode white space and the four separators of
// ASCII, which Go leaves out.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}
