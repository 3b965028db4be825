package eval

import (
	"strings"
	"unicode/utf8"
)

// chrf is the similarity of answer and reference by n-grams, for translations:
// chrF2 (words 0) and chrF++ (words 2) as sacreBLEU 2.6.0 computes them by
// default (https://github.com/mjpost/sacrebleu, metrics/chrf.py; Popović 2015,
// https://aclanthology.org/W15-3049, and 2017,
// https://aclanthology.org/W17-4770), from 0 to 1 instead of 100.
//
// White space is removed before characters are counted. Precision and recall are
// averaged over the orders of which both texts have n-grams, then joined with
// recall counting twice. Counts has three numbers an order, characters first:
// n-grams of the answer, of the reference, and of both; of several references
// it is the one that gives the best score.
type chrf struct {
	answered
	words int // longest n-gram of words; 0 leaves words out
}

const (
	chrfOrder = 6 // n-grams of 1 to 6 characters
	chrfBeta2 = 4 // beta 2, squared
)

func (c chrf) Score(it Item, answer string) float64 {
	return c.Corpus(c.Counts(it, answer))
}

func (c chrf) Counts(it Item, answer string) []int {
	var kept []int
	top := -1.0
	for _, ref := range it.references() {
		counts := c.count(answer, ref)
		if f := c.Corpus(counts); f > top {
			kept, top = counts, f
		}
	}
	return kept
}

func (c chrf) Corpus(counts []int) float64 {
	precision, recall, orders := 0.0, 0.0, 0
	for i := 0; i+2 < len(counts); i += 3 {
		if ofHyp, ofRef, both := counts[i], counts[i+1], counts[i+2]; ofHyp > 0 && ofRef > 0 {
			precision += float64(both) / float64(ofHyp)
			recall += float64(both) / float64(ofRef)
			orders++
		}
	}
	if precision+recall == 0 {
		return 0
	}
	precision, recall = precision/float64(orders), recall/float64(orders)
	return (1 + chrfBeta2) * precision * recall / (chrfBeta2*precision + recall)
}

func (c chrf) count(hypothesis, reference string) []int {
	counts := make([]int, 0, 3*(chrfOrder+c.words))
	hyp, ref := removeSpace(hypothesis), removeSpace(reference)
	for n := range chrfOrder {
		counts = append(counts, countNgrams(hyp, ref, n+1)...)
	}
	if c.words > 0 {
		hyp, ref := peeledWords(hypothesis), peeledWords(reference)
		for n := range c.words {
			counts = append(counts, countWordNgrams(hyp, ref, n+1)...)
		}
	}
	return counts
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
// each as often as both have it. The answer has none where the reference has none.
func countNgrams(hyp, ref characters, n int) []int {
	ofHyp, ofRef, both := max(0, len(hyp.at)-n), max(0, len(ref.at)-n), 0
	if ofRef == 0 {
		return []int{0, 0, 0}
	}
	left := make(map[string]int, ofRef)
	for i := range ofRef {
		left[ref.text[ref.at[i]:ref.at[i+n]]]++
	}
	for i := range ofHyp {
		gram := hyp.text[hyp.at[i]:hyp.at[i+n]]
		if left[gram] > 0 {
			left[gram]--
			both++
		}
	}
	return []int{ofHyp, ofRef, both}
}

// countWordNgrams is countNgrams for words.
func countWordNgrams(hyp, ref []string, n int) []int {
	ofHyp, ofRef, both := max(0, len(hyp)-n+1), max(0, len(ref)-n+1), 0
	if ofRef == 0 {
		return []int{0, 0, 0}
	}
	left := make(map[string]int, ofRef)
	for i := range ofRef {
		left[strings.Join(ref[i:i+n], " ")]++
	}
	for i := range ofHyp {
		gram := strings.Join(hyp[i:i+n], " ")
		if left[gram] > 0 {
			left[gram]--
			both++
		}
	}
	return []int{ofHyp, ofRef, both}
}

const marksOfASCII = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// peeledWords are the words of chrF++: one mark of ASCII punctuation at the end
// of a word, or else one at its beginning, is a word of its own.
func peeledWords(text string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(text, isPythonSpace) {
		last := len(w) - 1
		switch {
		case utf8.RuneCountInString(w) == 1:
			words = append(words, w)
		case strings.IndexByte(marksOfASCII, w[last]) >= 0:
			words = append(words, w[:last], w[last:])
		case strings.IndexByte(marksOfASCII, w[0]) >= 0:
			words = append(words, w[:1], w[1:])
		default:
			words = append(words, w)
		}
	}
	return words
}
