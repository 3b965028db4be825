package eval

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Filter is one step that takes a result out of an answer, with the names and the
// meaning that lm-eval gives them in the filter_list of a task (lm_eval/filters,
// release 0.4.13).
type Filter struct {
	Function    string            `json:"function"`
	Pattern     string            `json:"regex_pattern,omitempty"` // of regex and multi_choice_regex; Python's syntax; default "#### (\-?[0-9\.\,]+)"
	GroupSelect int               `json:"group_select,omitempty"`  // which match counts, from 0; from the end where negative
	Fallback    *string           `json:"fallback,omitempty"`      // what no match gives; default "[invalid]"
	Mapping     map[string]string `json:"mapping_dict,omitempty"`  // of map
	Default     *string           `json:"default_value,omitempty"` // of map, for texts that it does not name; default none: wrong
	// Of multi_choice_regex: what is done to answer and choices before the texts of
	// choices are looked for.
	IgnoreCase        bool     `json:"ignore_case,omitempty"`
	IgnorePunctuation bool     `json:"ignore_punctuation,omitempty"`
	RegexesToIgnore   []string `json:"regexes_to_ignore,omitempty"`
}

const (
	defaultFilterPattern = `#### (\-?[0-9\.\,]+)`
	defaultFallback      = "[invalid]"
)

// filters are the steps by name. They return false where there is no result that
// could be right.
var filters = map[string]func(f Filter, it Item, text string) (string, bool){
	"regex":              Filter.regex,
	"multi_choice_regex": Filter.multiChoice,
	"remove_whitespace":  func(_ Filter, _ Item, text string) (string, bool) { return pythonStrip(text), true },
	"lowercase":          func(_ Filter, _ Item, text string) (string, bool) { return pythonLower(text), true },
	"uppercase":          func(_ Filter, _ Item, text string) (string, bool) { return pythonUpper(text), true },
	"map":                Filter.mapped,
	"take_first":         func(_ Filter, _ Item, text string) (string, bool) { return text, true }, // soup asks once
}

// FilterNames returns what Filter.Function may be, sorted.
func FilterNames() []string { return sortedKeys(filters) }

// validate also compiles the patterns.
func (f Filter) validate(it Item) error {
	if filters[f.Function] == nil {
		return fmt.Errorf("unknown filter %q: use one of %s", f.Function, strings.Join(FilterNames(), ", "))
	}
	if f.Function == "multi_choice_regex" && len(it.Choices) == 0 {
		return fmt.Errorf("filter multi_choice_regex: %w", missing("choices"))
	}
	for _, pattern := range append(slices.Clone(f.RegexesToIgnore), f.pattern()) {
		if _, err := compilePython(pattern); err != nil {
			return fmt.Errorf("filter %s: %w", f.Function, err)
		}
	}
	return nil
}

func (f Filter) pattern() string {
	if f.Pattern == "" {
		return defaultFilterPattern
	}
	return f.Pattern
}

func (f Filter) fallback() string {
	if f.Fallback == nil {
		return defaultFallback
	}
	return *f.Fallback
}

func (f Filter) regex(_ Item, text string) (string, bool) {
	re, err := compilePython(f.pattern())
	if err != nil {
		return "", false
	}
	parts, found := f.choose(re.findAll(text))
	if !found {
		return f.fallback(), true
	}
	if re.groups < 2 { // an empty group or match counts
		return pythonStrip(parts[0]), true
	}
	if i := slices.IndexFunc(parts, func(p string) bool { return p != "" }); i >= 0 {
		return pythonStrip(parts[i]), true
	}
	return pythonStrip(f.fallback()), true
}

// choose returns the match that GroupSelect names.
func (f Filter) choose(found [][]string) ([]string, bool) {
	i := f.GroupSelect
	if i < 0 {
		i += len(found)
	}
	if i < 0 || i >= len(found) {
		return nil, false
	}
	return found[i], true
}

func (f Filter) mapped(_ Item, text string) (string, bool) {
	if to, ok := f.Mapping[text]; ok {
		return to, true
	}
	if f.Default == nil {
		return "", false
	}
	return *f.Default, true
}

// multiChoice gives "(A)" and so on: what the pattern finds; else the choice whose
// text the answer has, longer texts first; else the letter after a colon.
func (f Filter) multiChoice(it Item, text string) (string, bool) {
	re, err := compilePython(f.pattern())
	if err != nil {
		return "", false
	}
	if parts, found := f.choose(re.findAll(text)); found {
		if i := slices.IndexFunc(parts, func(p string) bool { return p != "" }); i >= 0 && pythonStrip(parts[i]) != "" {
			return pythonStrip(parts[i]), true
		}
	}
	if letter := f.choiceText(it, text); letter != "" {
		return letter, true
	}
	if parts, found := f.choose(lettersAfterColon(len(it.Choices), text)); found {
		return "(" + parts[0] + ")", true
	}
	return f.fallback(), true
}

// choiceText looks for the texts of choices.
func (f Filter) choiceText(it Item, text string) string {
	letters, quoted := map[string]string{}, []string{}
	for i, c := range it.Choices {
		c = f.ignore(pythonStrip(c))
		letters[c] = "(" + string(rune('A'+i)) + ")"
		quoted = append(quoted, c)
	}
	slices.SortStableFunc(quoted, func(a, b string) int { return escapedLength(b) - escapedLength(a) })
	for i := range quoted {
		quoted[i] = regexp.QuoteMeta(quoted[i])
	}
	var found [][]string
	for _, m := range regexp.MustCompile(strings.Join(quoted, "|")).FindAllString(f.ignore(text), -1) {
		found = append(found, []string{m})
	}
	parts, ok := f.choose(found)
	if !ok {
		return ""
	}
	match := pythonStrip(parts[0])
	if letter := letters[match]; letter != "" {
		return letter
	}
	return match
}

// escapedLength is the length of Python's re.escape(text), by which lm-eval sorts.
func escapedLength(text string) int {
	n := 0
	for _, r := range text {
		n++
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", r) {
			n++
		}
	}
	return n
}

func lettersAfterColon(choices int, text string) [][]string {
	var letters []string
	for i := range choices {
		letters = append(letters, regexp.QuoteMeta(string(rune('A'+i))))
	}
	re, err := compilePython(`:[\s]*(` + strings.Join(letters, "|") + ")")
	if err != nil {
		return nil
	}
	return re.findAll(text)
}

// ignore removes what is not looked at.
func (f Filter) ignore(text string) string {
	for _, pattern := range f.RegexesToIgnore {
		if re, err := compilePython(pattern); err == nil {
			text = re.replaceAll(text, "")
		}
	}
	if f.IgnoreCase {
		text = pythonLower(text)
	}
	if f.IgnorePunctuation {
		text = remove(text, unicode.IsPunct)
	}
	return text
}

func remove(text string, which func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if which(r) {
			return -1
		}
		return r
	}, text)
}
