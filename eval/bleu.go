package eval

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// bleu is BLEU of the answer's words against the references, for translations,
// as sacreBLEU 2.6.0 computes it by default (https://github.com/mjpost/sacrebleu,
// metrics/bleu.py, signature case:mixed|tok:13a|smooth:exp; Papineni et al. 2002,
// https://aclanthology.org/P02-1040), from 0 to 1 instead of 100.
//
// Of a corpus it has effective order off, of one item on, as sacreBLEU advises.
// Counts has the length of the answer and of the reference closest to it in
// words, then the n-grams of the answer that a reference has, of 1 to 4 words,
// then all n-grams of the answer.
type bleu struct{ answered }

const bleuOrder = 4

func (b bleu) Score(it Item, answer string) float64 {
	return bleuOf(b.Counts(it, answer), true)
}

func (bleu) Corpus(counts []int) float64 { return bleuOf(counts, false) }

func (bleu) Counts(it Item, answer string) []int {
	hyp := words13a(answer)
	most := map[string]int{}
	closest := -1
	for _, ref := range it.references() {
		words := words13a(ref)
		for gram, n := range wordNgrams(words) {
			most[gram] = max(most[gram], n)
		}
		if closest < 0 || nearer(len(words), closest, len(hyp)) {
			closest = len(words)
		}
	}
	counts := make([]int, 2+2*bleuOrder)
	counts[0], counts[1] = len(hyp), closest
	for gram, n := range wordNgrams(hyp) {
		order := strings.Count(gram, " ")
		counts[2+order] += min(n, most[gram])
		counts[2+bleuOrder+order] += n
	}
	return counts
}

// nearer reports whether a length is nearer to another than the one known, or as
// near and shorter.
func nearer(length, known, to int) bool {
	a, b := max(length-to, to-length), max(known-to, to-known)
	return a < b || a == b && length < known
}

// bleuOf is BLEU with exponential smoothing. With effective order, orders that
// the answer is too short for do not count.
func bleuOf(counts []int, effective bool) float64 {
	correct, total := counts[2:2+bleuOrder], counts[2+bleuOrder:]
	if slices.Max(correct) == 0 {
		return 0
	}
	sum, halved, order := 0.0, 1.0, bleuOrder
	for n := range bleuOrder {
		if total[n] == 0 {
			if effective {
				break
			}
			return 0
		}
		if effective {
			order = n + 1
		}
		precision := float64(correct[n]) / float64(total[n])
		if correct[n] == 0 {
			halved *= 2
			precision = 1 / (halved * float64(total[n]))
		}
		sum += math.Log(precision)
	}
	return brevity(counts[0], counts[1]) * math.Exp(sum/float64(order))
}

// brevity is the penalty for answers shorter than the reference.
func brevity(hyp, ref int) float64 {
	if hyp < ref {
		return math.Exp(1 - float64(ref)/float64(hyp))
	}
	return 1
}

// wordNgrams counts the n-grams of 1 to 4 words, which are joined by spaces.
func wordNgrams(words []string) map[string]int {
	counts := make(map[string]int, bleuOrder*len(words))
	for n := 1; n <= bleuOrder; n++ {
		for i := 0; i+n <= len(words); i++ {
			counts[strings.Join(words[i:i+n], " ")]++
		}
	}
	return counts
}

var split13a = []struct {
	at *regexp.Regexp
	as string
}{
	{regexp.MustCompile("([{-~\\[-` -&(-+:-@/])"), " $1 "},
	{regexp.MustCompile(`([^0-9])([.,])`), "$1 $2 "}, // not between digits
	{regexp.MustCompile(`([.,])([^0-9])`), " $1 $2"},
	{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
}

// words13a divides a text as mteval-v13a.pl does, the way sacreBLEU mirrors it
// (tokenizers/tokenizer_13a.py): at white space and around ASCII punctuation.
func words13a(text string) []string {
	text = strings.TrimRightFunc(strings.ToValidUTF8(text, "\uFFFD"), isPythonSpace)
	for _, r := range []struct{ old, new string }{{"<skipped>", ""}, {"-\n", ""}, {"\n", " "}} {
		text = strings.ReplaceAll(text, r.old, r.new)
	}
	for _, r := range []struct{ old, new string }{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
		text = strings.ReplaceAll(text, r.old, r.new) // one after the other: &amp;lt; becomes <
	}
	text = " " + text + " "
	for _, s := range split13a {
		text = s.at.ReplaceAllString(text, s.as)
	}
	return strings.FieldsFunc(text, isPythonSpace)
}
