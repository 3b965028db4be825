package eval

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dlclark/regexp2"

	"soup/eval/internal/langdetect"
	"soup/eval/internal/punkt"
)

// pySpace is \s of Python's re.
const pySpace = `[\s\v\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

// pyBoundary is \b of Python's re, for regexp2.
const pyBoundary = `(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))`

var (
	placeholder     = regexp.MustCompile(`\[.*?\]`)
	starBullet      = regexp.MustCompile(`(?m)^` + pySpace + `*\*[^*].*$`)
	dashBullet      = regexp.MustCompile(`(?m)^` + pySpace + `*-.*$`)
	highlight       = regexp.MustCompile(`\*[^\n*]*\*`)
	doubleHighlight = regexp.MustCompile(`\*\*[^\n*]*\*\*`)
	divider         = regexp.MustCompile(pySpace + `?\*\*\*` + pySpace + `?`)
	title           = regexp.MustCompile(`<<[^\n]+>>`)
)

// followedBy reports whether a text follows the instruction. It must be valid.
func (in Instruction) followedBy(text string) bool { return checks[in.ID].follows(in, text) }

// related compares a count with its bound.
func related(count int, relation string, bound float64) bool {
	if relation == "less than" {
		return float64(count) < bound
	}
	return float64(count) >= bound
}

// matchesOf counts what a pattern finds, in any case.
func matchesOf(pattern, text string) int {
	at, err := regexp.Compile("(?i)" + sameCase.Replace(pattern))
	if err != nil {
		return 0
	}
	return len(at.FindAllStringIndex(sameCase.Replace(text), -1))
}

// sameCase joins the characters that Python's re takes for cases of one letter
// and Go's unicode.ToLower does not (CPython 3.11, Lib/re/_casefix.py).
var sameCase = strings.NewReplacer("İ", "i", "ı", "i", "ſ", "s", "µ", "μ", "ς", "σ", "ϐ", "β", "ϵ", "ε", "ϑ", "θ", "ϰ", "κ", "ϖ", "π", "ϱ", "ρ", "ϕ", "φ", "ẛ", "ṡ")

func (in Instruction) hasKeywords(text string) bool {
	return !slices.ContainsFunc(in.Keywords, func(k string) bool { return matchesOf(k, text) == 0 })
}

func (in Instruction) hasKeywordOften(text string) bool {
	return related(matchesOf(pythonStrip(in.Keyword), text), in.Relation, in.Frequency)
}

func (in Instruction) avoidsWords(text string) bool {
	for _, word := range in.ForbiddenWords {
		at, err := regexp2.Compile(pyBoundary+sameCase.Replace(word)+pyBoundary, regexp2.IgnoreCase)
		if err != nil {
			return false
		}
		if found, err := at.MatchString(sameCase.Replace(text)); found || err != nil {
			return false
		}
	}
	return true
}

func (in Instruction) hasLetterOften(text string) bool {
	return related(strings.Count(pythonLower(text), pythonLower(pythonStrip(in.Letter))), in.LetterRelation, in.LetterFrequency)
}

// isInLanguage is also true where no language can be told.
func (in Instruction) isInLanguage(text string) bool {
	language, err := langdetect.Detect(text)
	return err != nil || language == in.Language
}

func (in Instruction) hasSentences(text string) bool {
	return related(len(punkt.Sentences(text)), in.Relation, in.Sentences)
}

// hasParagraphs: three asterisks are between paragraphs; only the first and the
// last may be empty.
func (in Instruction) hasParagraphs(text string) bool {
	paragraphs := divider.Split(text, -1)
	count := len(paragraphs)
	for i, p := range paragraphs {
		if pythonStrip(p) != "" {
			continue
		}
		if i > 0 && i < len(paragraphs)-1 {
			return false
		}
		count--
	}
	return float64(count) == in.Paragraphs
}

func (in Instruction) hasWords(text string) bool {
	return related(punkt.Count(text), in.Relation, in.Words)
}

// beginsParagraph: empty lines are between paragraphs, and the nth begins with a
// word.
func (in Instruction) beginsParagraph(text string) bool {
	paragraphs := strings.Split(text, "\n\n")
	count := 0
	for _, p := range paragraphs {
		if pythonStrip(p) != "" {
			count++
		}
	}
	if in.Nth > float64(count) {
		return false
	}
	words := pythonSplit(paragraphs[int(in.Nth)-1])
	if len(words) == 0 {
		return false
	}
	word := strings.TrimLeft(strings.TrimLeft(words[0], "'"), `"`)
	if end := strings.IndexAny(word, `.,?!'"`); end >= 0 {
		word = word[:end]
	}
	var lower strings.Builder
	for _, r := range word {
		lower.WriteString(pythonLower(string(r)))
	}
	return float64(count) == in.Paragraphs && lower.String() == pythonLower(in.FirstWord)
}

func (in Instruction) hasPlaceholders(text string) bool {
	return float64(len(placeholder.FindAllStringIndex(text, -1))) >= in.Placeholders
}

func (in Instruction) hasPostscript(text string) bool {
	marker := pythonStrip(in.Postscript)
	pattern := pythonLower(marker)
	switch marker {
	case "P.P.S":
		pattern = `p\.` + pySpace + `?p\.` + pySpace + `?s`
	case "P.S.":
		pattern = `p\.` + pySpace + `?s\.`
	}
	at, err := regexp.Compile(pattern)
	return err == nil && at.MatchString(pythonLower(text))
}

func (in Instruction) hasBullets(text string) bool {
	count := len(starBullet.FindAllStringIndex(text, -1)) + len(dashBullet.FindAllStringIndex(text, -1))
	return float64(count) == in.Bullets
}

func (Instruction) isOneOfThree(text string) bool {
	return strings.Contains(text, "My answer is yes.") || strings.Contains(text, "My answer is no.") || strings.Contains(text, "My answer is maybe.")
}

func (in Instruction) hasHighlights(text string) bool {
	count := 0
	for _, h := range highlight.FindAllString(text, -1) {
		if pythonStrip(strings.Trim(h, "*")) != "" {
			count++
		}
	}
	for _, h := range doubleHighlight.FindAllString(text, -1) {
		if pythonStrip(strings.TrimSuffix(strings.TrimPrefix(h, "**"), "**")) != "" {
			count++
		}
	}
	return float64(count) >= in.Highlights
}

func (in Instruction) hasSections(text string) bool {
	at, err := regexp.Compile(pySpace + `?` + pythonStrip(in.Splitter) + pySpace + `?\p{Nd}+` + pySpace + `?`)
	return err == nil && float64(len(at.FindAllStringIndex(text, -1))) >= in.Sections
}

// isJSON takes what Python's json.loads takes: NaN and Infinity too.
func (Instruction) isJSON(text string) bool {
	text = pythonStrip(text)
	for _, fence := range []string{"```json", "```Json", "```JSON", "```"} {
		text = strings.TrimPrefix(text, fence)
	}
	return json.Valid([]byte(withoutNaN(pythonStrip(strings.TrimSuffix(text, "```")))))
}

// withoutNaN writes zeros for the numbers that JSON does not have and Python does.
func withoutNaN(text string) string {
	var b strings.Builder
	inText := false
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case inText && rest[0] == '\\' && len(rest) > 1:
			b.WriteString(rest[:2])
			i++
			continue
		case rest[0] == '"':
			inText = !inText
		case !inText:
			if name := nonNumber(rest); name != "" {
				b.WriteString(" 0 ")
				i += len(name) - 1
				continue
			}
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

func nonNumber(text string) string {
	for _, name := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(text, name) {
			return name
		}
	}
	return ""
}

func (Instruction) hasTitle(text string) bool {
	return slices.ContainsFunc(title.FindAllString(text, -1), func(t string) bool {
		return pythonStrip(strings.TrimRight(strings.TrimLeft(t, "<"), ">")) != ""
	})
}

// isTwoResponses: two different ones with six asterisks between them.
func (Instruction) isTwoResponses(text string) bool {
	var kept []string
	parts := strings.Split(text, "******")
	for i, part := range parts {
		if part = pythonStrip(part); part != "" {
			kept = append(kept, part)
		} else if i > 0 && i < len(parts)-1 {
			return false
		}
	}
	return len(kept) == 2 && kept[0] != kept[1]
}

func (in Instruction) repeatsPrompt(text string) bool {
	return strings.HasPrefix(pythonLower(pythonStrip(text)), pythonLower(pythonStrip(in.Prompt)))
}

func (in Instruction) endsWithPhrase(text string) bool {
	text = pythonLower(strings.Trim(pythonStrip(text), `"`))
	return strings.HasSuffix(text, pythonLower(pythonStrip(in.EndPhrase)))
}

func (Instruction) isQuoted(text string) bool {
	text = pythonStrip(text)
	return len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"'
}

func (in Instruction) hasCapitals(text string) bool {
	count := 0
	for _, word := range punkt.Words(text) {
		if upper, lower := cased(word); upper && !lower {
			count++
		}
	}
	return related(count, in.CapitalRelation, in.CapitalFrequency)
}

func (Instruction) isCapital(text string) bool {
	upper, lower := cased(text)
	return upper && !lower && Instruction{Language: "en"}.isInLanguage(text)
}

func (Instruction) isLowercase(text string) bool {
	upper, lower := cased(text)
	return lower && !upper && Instruction{Language: "en"}.isInLanguage(text)
}

// cased reports whether a text has upper and lower case letters; one in title
// case is both, see str.isupper.
func cased(text string) (upper, lower bool) {
	for _, r := range text {
		title := unicode.IsTitle(r)
		upper = upper || title || unicode.In(r, unicode.Lu, unicode.Other_Uppercase)
		lower = lower || title || unicode.In(r, unicode.Ll, unicode.Other_Lowercase)
	}
	return upper, lower
}

func (Instruction) hasNoComma(text string) bool { return !strings.Contains(text, ",") }
