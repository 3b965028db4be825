package punkt

import (
	"regexp"
	"strings"

	"github.com/dlclark/regexp2"
)

// White space and words as the package regex has them, see isSpace and isWord.
const (
	space    = `[\s\v\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`
	wordy    = `[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200c\u200d\u24b6-\u24e9]`
	boundary = `(?:(?<=` + wordy + `)(?!` + wordy + `)|(?<!` + wordy + `)(?=` + wordy + `))`
	// The contractions run on Python's own re.
	plainWordy    = `[\p{L}\p{N}_]`
	plainBoundary = `(?:(?<=` + plainWordy + `)(?!` + plainWordy + `)|(?<!` + plainWordy + `)(?=` + plainWordy + `))`
)

type rule struct {
	at *regexp.Regexp
	as string
}

func rules(pairs ...string) []rule {
	out := make([]rule, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return out
}

var (
	openingQuotes = rules("([«“‘„]|[`]+)", " ${1} ", `^"`, "``", "(``)", " ${1} ", "([ ([{<])(\"|'{2})", "${1} `` ")
	// An apostrophe before a word, unless that is the rest of a contraction.
	loneApostrophe = regexp2.MustCompile(`(?i)(?<!`+wordy+`)(')(?!(?:re|ve|ll|m|t|s|d|n)`+boundary+`)(?=`+wordy+`)`, regexp2.None)
	punctuation    = rules(
		`([^.])(\.)([\])}>"'»”’ ]*)`+space+`*$`, "${1} ${2} ${3} ",
		`([:,])([^\p{Nd}])`, " ${1} ${2}",
		`([:,])$`, " ${1} ",
		`(\.{2,})`, " ${1} ",
		`([;@#$%&])`, " ${1} ",
		`([\x{2012}-\x{2015}])`, " ${1} ",
		`([^.])(\.)([\])}>"']*)`+space+`*$`, "${1} ${2}${3} ",
		`([?!])`, " ${1} ",
		`([^'])' `, "${1} ' ",
		`([*])`, " ${1} ",
		`([\]\[(){}<>])`, " ${1} ",
		`--`, " -- ",
	)
	closingQuotes = rules(
		`([»”’])`, " ${1} ",
		`''`, " '' ",
		`"`, " '' ",
		space+`+`, " ",
		`([^' ])('[sS]|'[mM]|'[dD]|') `, "${1} ${2} ",
		`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "${1} ${2} ",
	)
	contractions = []*regexp2.Regexp{
		joined("can", "not", plainBoundary), joined("d", "'ye", plainBoundary), joined("gim", "me", plainBoundary), joined("gon", "na", plainBoundary),
		joined("got", "ta", plainBoundary), joined("lem", "me", plainBoundary), joined("more", "'n", plainBoundary),
		joined("wan", "na", `(?= )`), // any white space, but by then there is no other
		regexp2.MustCompile(`(?i) ('t)(is)`+plainBoundary, regexp2.None), regexp2.MustCompile(`(?i) ('t)(was)`+plainBoundary, regexp2.None),
	}
)

func joined(first, second, end string) *regexp2.Regexp {
	return regexp2.MustCompile(`(?i)`+plainBoundary+`(`+first+`)(`+second+`)`+end, regexp2.None)
}

// Words are the words and marks of a text, sentence by sentence.
func Words(text string) []string {
	var found []string
	for _, sentence := range Sentences(text) {
		found = append(found, wordsOf(sentence)...)
	}
	return found
}

func wordsOf(text string) []string {
	text = apply(openingQuotes, text)
	text = replace(loneApostrophe, text, "${1} ")
	text = " " + apply(punctuation, text) + " "
	text = apply(closingQuotes, text)
	for _, c := range contractions {
		text = replace(c, text, " ${1} ${2} ")
	}
	return strings.FieldsFunc(text, isPythonSpace)
}

func apply(rules []rule, text string) string {
	for _, r := range rules {
		text = r.at.ReplaceAllString(text, r.as)
	}
	return text
}

// replace replaces all matches; the expressions have no timeout, the only error
// there is.
func replace(at *regexp2.Regexp, text, as string) string {
	out, err := at.Replace(text, as, -1, -1)
	if err != nil {
		return text
	}
	return out
}

// Count is how many runs of letters, digits and marks a text has.
func Count(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool { return !isWord(r) }))
}
