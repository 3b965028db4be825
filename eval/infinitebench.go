package eval

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// infiniteBench scores the tasks of InfiniteBench as its src/compute_scores.py
// does (https://github.com/OpenBMB/InfiniteBench, commit 88b3daa), each with a
// rule of its own. Rule is {"task": name}; Answer is the label and Answers are
// further ones, as each task needs them.
//
// Where the official function raises an exception, which is when a fraction
// answers a question for a whole number, the answer is wrong.
type infiniteBench struct{ answered }

type infiniteBenchRule struct {
	Task string `json:"task"`
}

var infiniteBenchTasks = map[string]func(it Item, answer string) float64{
	"passkey":             firstDigits,
	"number_string":       firstDigits,
	"kv_retrieval":        wordAmong,
	"longdialogue_qa_eng": nameAmong,
	"longbook_choice_eng": chosenOption,
	"longbook_qa_eng":     englishF1,
	"longbook_qa_chn":     chineseF1,
	"math_find":           firstNumber,
	"math_calc":           rightPrefix,
	"code_run":            lastInteger,
	"code_debug":          namedFunction,
}

// InfiniteBenchTasks are the tasks that metric infinitebench knows, sorted.
func InfiniteBenchTasks() []string { return slices.Sorted(maps.Keys(infiniteBenchTasks)) }

func (m infiniteBench) Validate(it Item) error {
	if err := m.answered.Validate(it); err != nil {
		return err
	}
	task := m.task(it)
	if infiniteBenchTasks[task] == nil {
		return fmt.Errorf("rule: task %q is none of %s", task, strings.Join(InfiniteBenchTasks(), ", "))
	}
	ok, want := true, ""
	switch task {
	case "math_find":
		_, ok = parseNumber(it.Answer)
		want = "a number"
	case "math_calc":
		ok, want = len(integerList(it.Answer)) > 0, "a list of whole numbers"
	case "code_run":
		_, err := strconv.Atoi(it.Answer)
		ok, want = err == nil, "a whole number"
	case "code_debug":
		ok, want = len(it.Answers) == 1, "a letter, with the function's name in the field answers"
	}
	if !ok {
		return fmt.Errorf("answer %q must be %s", it.Answer, want)
	}
	return nil
}

func (infiniteBench) task(it Item) string {
	var rule infiniteBenchRule
	if json.Unmarshal(it.Rule, &rule) != nil {
		return ""
	}
	return rule.Task
}

func (m infiniteBench) Score(it Item, answer string) float64 {
	score := infiniteBenchTasks[m.task(it)]
	if score == nil {
		return 0
	}
	return score(it, answer)
}

// firstDigits: the first run of ASCII digits is the label.
func firstDigits(it Item, answer string) float64 {
	runs := strings.FieldsFunc(answer, func(r rune) bool { return r < '0' || r > '9' })
	return oneIf(len(runs) > 0 && runs[0] == it.Answer)
}

// wordAmong: the label is one of the words.
func wordAmong(it Item, answer string) float64 {
	return oneIf(slices.Contains(pythonSplit(replaceAny(answer, "\n", ":", `"`, "'", ".", ",", "?", "!", "{", "}")), it.Answer))
}

// nameAmong: the label is one of the words in capitals; names of two words never
// are.
func nameAmong(it Item, answer string) float64 {
	words := pythonSplit(replaceAny(pythonStrip(answer), "\n", ":", `"`, "'", ".", ",", "?", "!", "{", "}"))
	return oneIf(slices.ContainsFunc(words, func(w string) bool { return pythonUpper(w) == it.Answer }))
}

const fourLetters = "ABCD"

// chosenOption: the first letter if it is one of A to D, or else the whole
// answer, what follows a phrase such as "answer is", or the first lone letter.
func chosenOption(it Item, answer string) float64 {
	labels := it.references()
	answer = pythonStrip(answer)
	if answer == "" {
		return 0
	}
	if first := answer[:1]; strings.Contains(fourLetters, first) {
		return oneIf(slices.Contains(labels, first))
	}
	if slices.Contains(labels, answer) {
		return 1
	}
	answer = singleSpaces(replaceAny(answer, "\n", `"`, "'", ".", ",", "?", "!", "{", "}"))
	if after, found := afterPhrase(answer, "answer is:", "answer:", "answer is", "option is"); found {
		return oneIf(startsWithAny(after, labels))
	}
	for _, word := range pythonSplit(answer) {
		if strings.Contains(fourLetters, word) {
			return oneIf(slices.Contains(labels, word))
		}
	}
	return 0
}

// namedFunction: the answer begins with the right letter and a full stop or
// colon, or the letter or the function's name follows such a phrase.
func namedFunction(it Item, answer string) float64 {
	answer = pythonStrip(answer)
	if strings.HasPrefix(answer, it.Answer+".") || strings.HasPrefix(answer, it.Answer+":") {
		return 1
	}
	answer = singleSpaces(replaceAny(answer, "\n", "`", "'", `"`, "-", "*", "Option", "option"))
	after, _ := afterPhrase(answer, "answer is:", "is:", "answer:", "correct option is:")
	return oneIf(startsWithAny(after, it.references()))
}

func singleSpaces(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// afterPhrase is what follows the first of the phrases that occurs, without the
// character after it.
func afterPhrase(text string, phrases ...string) (after string, found bool) {
	for _, phrase := range phrases {
		if _, rest, ok := strings.Cut(text, phrase); ok {
			for i := range rest {
				if i > 0 {
					return rest[i:], true
				}
			}
			return "", true
		}
	}
	return "", false
}

func startsWithAny(text string, prefixes []string) bool {
	return text != "" && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
}

// decimal is a number without sign, its digits those of any script.
var decimal = regexp.MustCompile(`\p{Nd}+\.\p{Nd}+|\p{Nd}+`)

// firstNumber: the first number, without its sign, is the label.
func firstNumber(it Item, answer string) float64 {
	found := asciiDigits(decimal.FindString(answer))
	if !strings.ContainsAny(it.Answer, ".eE") {
		return oneIf(found != "" && sameInteger(found, it.Answer))
	}
	got, ok := parseNumber(found)
	want, _ := parseNumber(it.Answer)
	return oneIf(ok && got == want)
}

// sameInteger compares digits, however many.
func sameInteger(a, b string) bool {
	return strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0")
}

// rightPrefix: the share of the label's numbers that the answer has right before
// its first error. Numbers are runs of ASCII digits.
func rightPrefix(it Item, answer string) float64 {
	runs := strings.FieldsFunc(answer, func(r rune) bool { return r < '0' || r > '9' })
	labels := integerList(it.Answer)
	right := 0
	for right < min(len(labels), len(runs)) && sameInteger(runs[right], strconv.Itoa(labels[right])) {
		right++
	}
	return float64(right) / float64(len(labels))
}

func integerList(text string) []int {
	var list []int
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	return list
}

var integerWord = regexp.MustCompile(`^[+-]?\p{Nd}+(?:_\p{Nd}+)*$`)

// lastInteger: the last word is the label.
func lastInteger(it Item, answer string) float64 {
	words := pythonSplit(replaceAny(pythonStrip(answer), "\n", ".", "`", "'", `"`, ":"))
	if len(words) == 0 || !integerWord.MatchString(words[len(words)-1]) {
		return 0
	}
	got, err := strconv.Atoi(strings.ReplaceAll(asciiDigits(words[len(words)-1]), "_", ""))
	return oneIf(err == nil && strconv.Itoa(got) == it.Answer)
}

// englishF1 is the F1 of the words, best of the labels: as metric f1, but
// articles go wherever they stand between characters that are no letters, and
// two empty texts are not alike.
func englishF1(it Item, answer string) float64 {
	got := plainWords(answer)
	return best(it, func(ref string) float64 { return sharedF1(got, plainWords(ref)) })
}

func sharedF1(got, want []string) float64 {
	if len(got) == 0 || len(want) == 0 {
		return 0
	}
	return wordF1(got, want)
}

func plainWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(marksOfASCII, r) {
			return -1
		}
		return r
	}, pythonLower(text))
	return pythonSplit(withoutArticles(text))
}

// withoutArticles puts a space for a, an and the.
func withoutArticles(text string) string {
	var b strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, isPythonWord)
		if end < 0 {
			end = len(text)
		}
		b.WriteString(text[:end])
		text = text[end:]
		if end = strings.IndexFunc(text, func(r rune) bool { return !isPythonWord(r) }); end < 0 {
			end = len(text)
		}
		if word := text[:end]; word == "a" || word == "an" || word == "the" {
			b.WriteByte(' ')
		} else {
			b.WriteString(word)
		}
		text = text[end:]
	}
	return b.String()
}

// cjkPunctuation is dropped besides that of ASCII.
const cjkPunctuation = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."

// chineseF1 is the F1 of the characters, best of the labels.
func chineseF1(it Item, answer string) float64 {
	got := plainCharacters(answer)
	return best(it, func(ref string) float64 { return sharedF1(got, plainCharacters(ref)) })
}

func plainCharacters(text string) []string {
	var kept []string
	for _, r := range pythonLower(text) {
		if !isPythonSpace(r) && !strings.ContainsRune(marksOfASCII+cjkPunctuation, r) {
			kept = append(kept, string(r))
		}
	}
	return kept
}
