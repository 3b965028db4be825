// Package langdetect tells the language of a text as the Python package
// langdetect 1.0.9 does (https://github.com/Mimino666/langdetect, a port of
// Nakatani Shuyo's language-detection): naive Bayes over n-grams of 1 to 3
// letters in 55 languages.
//
// That package draws at random which n-grams it looks at, and unless told
// otherwise differently every time. This one draws what it draws when its
// DetectorFactory.seed is 0, from Python's own generator, so that it gives the
// same answer on every call.
package langdetect

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"
)

// ErrNoLetters says that a text has nothing that tells its language.
var ErrNoLetters = errors.New("no letters of a known language")

const (
	trials     = 7
	smoothing  = 0.5     // mean of the smoothing parameter
	spread     = 0.05    // its standard deviation
	baseFreq   = 10000   // smoothing divided by it is added to every probability
	certain    = 0.99999 // a trial ends at this probability,
	mostDraws  = 1000    // or after so many n-grams
	likely     = 0.1     // less than that is no answer
	mostLetter = 10000   // characters of the text that are looked at
)

// profiles.json.gz is written by tools/text/profiles.py.
//
//go:embed profiles.json.gz
var packed []byte

// share is how likely an n-gram is in a language, of all n-grams of its length.
type share struct {
	language int
	of       float64
}

type tables struct {
	languages []string
	grams     map[string][]share
	letters   letters
}

var load = sync.OnceValue(func() *tables {
	t, err := unpack(packed)
	if err != nil {
		panic("langdetect: its own table is broken: " + err.Error())
	}
	return t
})

func unpack(packed []byte) (*tables, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var file struct {
		Profiles []struct {
			Name  string         `json:"name"`
			Words [3]int         `json:"n_words"`
			Freq  map[string]int `json:"freq"`
		} `json:"profiles"`
		SameHan    []string `json:"same_han"`
		NoLetters  string   `json:"no_letters"`
		Vietnamese struct {
			Bare   string   `json:"bare"`
			Marks  string   `json:"marks"`
			Joined []string `json:"joined"`
		} `json:"vietnamese"`
	}
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, err
	}
	t := &tables{grams: map[string][]share{}, letters: newLetters(file.SameHan, file.NoLetters)}
	t.letters.joinMarks(file.Vietnamese.Bare, file.Vietnamese.Marks, file.Vietnamese.Joined)
	for i, p := range file.Profiles {
		t.languages = append(t.languages, p.Name)
		for gram, n := range p.Freq {
			length := utf8.RuneCountInString(gram)
			if length < 1 || length > 3 {
				return nil, fmt.Errorf("%s: %q is no n-gram", p.Name, gram)
			}
			t.grams[gram] = append(t.grams[gram], share{i, float64(n) / float64(p.Words[length-1])})
		}
	}
	return t, nil
}

// These take eight milliseconds to compile, which only texts in a language should cost.
var (
	// At most 2076 characters after the slashes; a count in Go is at most 1000.
	address = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`https?://[-_.?&~;+=/#0-9A-Za-z]{1,1000}[-_.?&~;+=/#0-9A-Za-z]{0,1000}[-_.?&~;+=/#0-9A-Za-z]{0,76}`)
	})
	mail = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}`)
	})
)

// Detect returns the code of the likeliest language, such as en or zh-cn, or
// "unknown" if none is likely; ErrNoLetters if no n-gram of the text is known.
func Detect(text string) (string, error) {
	t := load()
	grams := t.gramsOf(t.clean(text))
	if len(grams) == 0 {
		return "", ErrNoLetters
	}
	draw := newPython(0)
	mean := make([]float64, len(t.languages))
	for range trials {
		for i, p := range t.trial(grams, draw) {
			mean[i] += p / trials
		}
	}
	best := -1
	for i, p := range mean {
		if p > likely && (best < 0 || p > mean[best]) {
			best = i
		}
	}
	if best < 0 {
		return "unknown", nil
	}
	return t.languages[best], nil
}

// trial draws n-grams until one language is certain.
func (t *tables) trial(grams []string, draw *python) []float64 {
	p := make([]float64, len(t.languages))
	for i := range p {
		p[i] = 1 / float64(len(p))
	}
	weight := (smoothing + draw.gauss()*spread) / baseFreq
	factors := make([]float64, len(p))
	for i := 0; ; i++ {
		clear(factors)
		for _, s := range t.grams[grams[draw.below(len(grams))]] {
			factors[s.language] = s.of
		}
		for j := range p {
			p[j] *= weight + factors[j]
		}
		if i%5 == 0 && (normalize(p) > certain || i >= mostDraws) {
			return p
		}
	}
}

// normalize makes the sum 1 and returns the largest.
func normalize(p []float64) float64 {
	sum, largest := 0.0, 0.0
	for _, v := range p {
		sum += v
	}
	for i := range p {
		p[i] /= sum
		largest = max(largest, p[i])
	}
	return largest
}

// clean drops addresses, runs of spaces, and Latin letters from a text that is
// mostly in another script.
func (t *tables) clean(text string) []rune {
	text = mail().ReplaceAllString(address().ReplaceAllString(text, " "), " ")
	var kept []rune
	var last rune
	for i, r := range t.letters.join([]rune(text)) {
		if i >= mostLetter {
			break
		}
		if r != ' ' || last != ' ' {
			kept = append(kept, r)
		}
		last = r
	}
	latin, other := 0, 0
	for _, r := range kept {
		if 'A' <= r && r <= 'z' {
			latin++
		} else if r >= 0x300 && (r < 0x1e00 || r > 0x1eff) {
			other++
		}
	}
	if latin*2 >= other {
		return kept
	}
	return withoutLatin(kept)
}

func withoutLatin(text []rune) []rune {
	var kept []rune
	for _, r := range text {
		if r < 'A' || r > 'z' {
			kept = append(kept, r)
		}
	}
	return kept
}

// gramsOf are the known n-grams of a text, in its order.
func (t *tables) gramsOf(text []rune) []string {
	var found []string
	window := newWindow(&t.letters)
	for _, r := range text {
		for _, gram := range window.add(r) {
			if _, known := t.grams[gram]; known && gram != " " {
				found = append(found, gram)
			}
		}
	}
	return found
}
