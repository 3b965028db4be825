package eval

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// number is 1 if answer and reference are numbers of equal value, so that
// "1663", " 1663.0" and "1.663e3" are all right.
//
// A number is what Python's float() takes
// (https://docs.python.org/3/library/functions.html#float) as far as it is
// written in ASCII digits and finite: white space around it, a sign,
// underscores between digits, a fraction and an exponent; no thousands
// separators, units, inf or nan. Values are compared as float64.
type number struct{ answered }

func (n number) Validate(it Item) error {
	if err := n.answered.Validate(it); err != nil {
		return err
	}
	for _, ref := range it.references() {
		if _, ok := parseNumber(ref); !ok {
			return fmt.Errorf("answer %q is not a number", ref)
		}
	}
	return nil
}

func (number) Score(it Item, answer string) float64 {
	got, ok := parseNumber(answer)
	if !ok {
		return 0
	}
	return best(it, func(ref string) float64 {
		want, ok := parseNumber(ref)
		return oneIf(ok && got == want)
	})
}

// digits may be divided by single underscores.
const digits = `[0-9]+(?:_[0-9]+)*`

// strconv takes hexadecimal, infinities and nan too, and no underscores.
var plainNumber = regexp.MustCompile(`^[+-]?(?:` + digits + `\.?(?:` + digits + `)?|\.` + digits + `)(?:[eE][+-]?` + digits + `)?$`)

func parseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if !plainNumber.MatchString(text) {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	return v, err == nil
}
