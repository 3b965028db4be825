package eval

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"
)

// pyRegex is a regular expression in the syntax and with the meaning of Python's
// module re (https://docs.python.org/3/library/re.html), for settings that were
// written for Python programs. It runs on a library with the dialect of .NET; what
// the two read differently is rewritten first, and what has no counterpart is
// refused.
//
// Two differences remain: an empty match is never followed by another one at the
// same place, and a search that backtracks for more than 10 s finds nothing.
type pyRegex struct {
	compiled *regexp2.Regexp
	groups   int
}

// Python's classes of characters: \w is letters, numbers and the underscore, not
// the marks that .NET counts as well; \s are also the four separators \x1c-\x1f.
const (
	wordChars  = `\p{L}\p{N}_`
	otherChars = `\p{M}\p{S}\p{Z}\p{C}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f`
	spaceChars = `\s\x1c-\x1f`
	boundary   = `(?:(?<=[` + wordChars + `])(?![` + wordChars + `])|(?<![` + wordChars + `])(?=[` + wordChars + `]))`
	noBoundary = `(?:(?<=[` + wordChars + `])(?=[` + wordChars + `])|(?<![` + wordChars + `])(?![` + wordChars + `]))`
)

// escapes are rewritten outside and inside of a set.
var escapes = map[rune][2]string{
	'w': {`[` + wordChars + `]`, wordChars},
	'W': {`[^` + wordChars + `]`, otherChars},
	's': {`[` + spaceChars + `]`, spaceChars},
	'S': {`[^` + spaceChars + `]`, `\S`},
	'b': {boundary, `\b`},
	'B': {noBoundary, ""},
	'A': {`\A`, ""},
	'Z': {`\z`, ""},
	'd': {`\d`, `\d`},
	'D': {`\D`, `\D`},
}

// pyRegexes keeps what is compiled: an item's pattern is used for every candidate.
var pyRegexes sync.Map

func compilePython(pattern string) (*pyRegex, error) {
	if known, ok := pyRegexes.Load(pattern); ok {
		return known.(*pyRegex), nil
	}
	t := translator{in: []rune(pattern), names: map[string]int{}}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	compiled, err := regexp2.Compile(t.out.String(), regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	compiled.MatchTimeout = 10 * time.Second
	re := &pyRegex{compiled: compiled, groups: t.groups}
	pyRegexes.Store(pattern, re)
	return re, nil
}

// findAll returns what re.findall does: the groups of every match, or the whole
// match where the pattern has no group.
func (re *pyRegex) findAll(text string) [][]string {
	var all [][]string
	m, err := re.compiled.FindStringMatch(text)
	for err == nil && m != nil {
		all = append(all, re.parts(m))
		m, err = re.compiled.FindNextMatch(m)
	}
	if err != nil {
		return nil
	}
	return all
}

func (re *pyRegex) parts(m *regexp2.Match) []string {
	if re.groups == 0 {
		return []string{m.String()}
	}
	var parts []string
	for i := 1; i <= re.groups; i++ {
		parts = append(parts, m.GroupByNumber(i).String())
	}
	return parts
}

// replaceAll returns what re.sub does with a replacement that is plain text.
func (re *pyRegex) replaceAll(text, replacement string) string {
	replaced, err := re.compiled.ReplaceFunc(text, func(regexp2.Match) string { return replacement }, -1, -1)
	if err != nil {
		return text
	}
	return replaced
}

// translator rewrites Python's syntax.
type translator struct {
	in     []rune
	at     int
	out    strings.Builder
	groups int
	names  map[string]int
}

func (t *translator) rest() string { return string(t.in[t.at:]) }

func (t *translator) copy(n int) {
	t.out.WriteString(string(t.in[t.at : t.at+n]))
	t.at += n
}

func (t *translator) run() error {
	for t.at < len(t.in) {
		if err := t.step(); err != nil {
			return err
		}
	}
	return nil
}

func (t *translator) step() error {
	switch t.in[t.at] {
	case '\\':
		return t.escape(0)
	case '[':
		return t.set()
	case '(':
		return t.group()
	case '{':
		if strings.HasPrefix(t.rest(), "{,") { // up to n times
			t.out.WriteString("{0,")
			t.at += 2
			return nil
		}
	}
	t.copy(1)
	return nil
}

// escape rewrites what begins with a backslash; where is 0 outside of a set and 1
// inside.
func (t *translator) escape(where int) error {
	if t.at+1 >= len(t.in) {
		return fmt.Errorf("bad escape at the end")
	}
	next := t.in[t.at+1]
	if to, ok := escapes[next]; ok {
		if to[where] == "" {
			return fmt.Errorf("bad escape \\%c in a set", next)
		}
		t.out.WriteString(to[where])
		t.at += 2
		return nil
	}
	letter := next < 0x80 && (next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z')
	if letter && !strings.ContainsRune("afnrtvxu", next) {
		return fmt.Errorf("escape \\%c is not understood", next)
	}
	t.copy(2)
	return nil
}

// set copies a set in brackets: in .NET a bracket inside means something else.
func (t *translator) set() error {
	t.copy(1)
	if t.at < len(t.in) && t.in[t.at] == '^' {
		t.copy(1)
	}
	for first := true; t.at < len(t.in); first = false {
		switch c := t.in[t.at]; {
		case c == ']' && !first:
			t.copy(1)
			return nil
		case c == '\\':
			if err := t.escape(1); err != nil {
				return err
			}
		case c == '[' || c == ']':
			t.out.WriteRune('\\')
			t.copy(1)
		default:
			t.copy(1)
		}
	}
	return fmt.Errorf("unterminated character set")
}

// group copies the opening of a group. Named ones lose their name, for .NET
// numbers them after the others.
func (t *translator) group() error {
	rest := t.rest()
	switch {
	case strings.HasPrefix(rest, "(?P<"):
		name, _, ok := strings.Cut(rest[4:], ">")
		if !ok {
			return fmt.Errorf("missing > of a group's name")
		}
		t.groups++
		t.names[name] = t.groups
		t.out.WriteString("(")
		t.at += len([]rune(name)) + 5
		return nil
	case strings.HasPrefix(rest, "(?P="):
		name, _, ok := strings.Cut(rest[4:], ")")
		n := t.names[name]
		if !ok || n == 0 {
			return fmt.Errorf("unknown group name %q", name)
		}
		fmt.Fprintf(&t.out, `(?:\%d)`, n)
		t.at += len([]rune(name)) + 5
		return nil
	case !strings.HasPrefix(rest, "(?"):
		t.groups++
	default:
		return t.extension(rest)
	}
	t.copy(1)
	return nil
}

// extension lets through what both dialects read alike.
func (t *translator) extension(rest string) error {
	for _, known := range []string{"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if strings.HasPrefix(rest, known) {
			t.copy(len(known))
			return nil
		}
	}
	end := strings.IndexAny(rest, ":)")
	if end < 0 || strings.Trim(rest[2:end], "imsx-") != "" {
		return fmt.Errorf("unknown extension %.6q", rest)
	}
	if rest[end] == ')' && t.at > 0 {
		return fmt.Errorf("global flags not at the start")
	}
	t.copy(end + 1)
	return nil
}
