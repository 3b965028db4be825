package eval

import (
	"fmt"
	"regexp"
	"strings"
)

// matches is metric regex. Pattern is in RE2 syntax
// (https://github.com/google/re2/wiki/Syntax). Without Answer, an answer is
// right if the pattern matches anywhere in it. With Answer, the pattern says
// what to take out of the answer: its first group, or the whole match where it
// has none, and of several matches the last, since models that reason name
// their result at the end. That text, white space around it removed, must be
// the reference. There is no smooth score.
type matches struct{}

func (matches) Validate(it Item) error {
	if it.Pattern == "" {
		return missing("pattern")
	}
	if _, err := regexp.Compile(it.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	return nil
}

func (matches) Ask(it Item) Question { return Question{Request: it.Request()} }

func (matches) Score(it Item, answer string) float64 {
	pattern, err := regexp.Compile(it.Pattern)
	if err != nil {
		return 0
	}
	found := pattern.FindAllStringSubmatch(answer, -1)
	if len(found) == 0 {
		return 0
	}
	if it.Answer == "" {
		return 1
	}
	last := found[len(found)-1]
	text := strings.TrimSpace(last[min(1, len(last)-1)])
	return best(it, func(ref string) float64 { return oneIf(text == strings.TrimSpace(ref)) })
}
