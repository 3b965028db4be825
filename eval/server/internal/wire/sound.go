package wire

import (
	"fmt"
	"math"
	"strings"

	"soup/eval"
)

// What servers round log-probabilities by, and sums of many of them, in nats and
// as a share: float32 at 20 places, with room.
const (
	roundedUp   = 1e-3
	surplusMass = 1e-2
)

// Token is a token of an answer, as servers that give log-probabilities report
// it. Log-probabilities are natural logarithms.
type Token struct {
	Text    string
	LogProb float64
	Top     []Choice // the likeliest at this place; may be empty
}

// Choice is one of the likeliest tokens at a place.
type Choice struct {
	Text    string
	LogProb float64
}

// CheckTokens looks for what only a damaged reply can have, where its JSON is
// right: a text that is not that of its tokens, a log-probability above 0 or
// none, one token in two ranks, probabilities that add up to more than 1. It is
// eval.ErrReply then, which Client.Retry asks again for.
//
// Texts are compared where no token has a broken character, which servers show
// as U+FFFD or not at all. Text may be shorter than its tokens: servers cut stop
// texts off.
func CheckTokens(text string, tokens []Token) error {
	var joined strings.Builder
	for i, t := range tokens {
		joined.WriteString(t.Text)
		if err := checkPlace(t); err != nil {
			return fmt.Errorf("%w: token %d of %d: %w", eval.ErrReply, i+1, len(tokens), err)
		}
	}
	said := joined.String()
	if len(tokens) == 0 || strings.ContainsRune(said, '\uFFFD') || strings.ContainsRune(text, '\uFFFD') {
		return nil
	}
	if !strings.Contains(strings.TrimSpace(said), strings.TrimSpace(text)) {
		return fmt.Errorf("%w: the text %s is not that of its tokens, %s", eval.ErrReply, excerpt([]byte(text)), excerpt([]byte(said)))
	}
	return nil
}

// checkPlace checks the probabilities at one place.
func checkPlace(t Token) error {
	if err := CheckLogProb(t.LogProb); err != nil {
		return err
	}
	total, seen := 0.0, make(map[string]bool, len(t.Top))
	for _, c := range t.Top {
		if err := CheckLogProb(c.LogProb); err != nil {
			return err
		}
		if seen[c.Text] && !strings.ContainsRune(c.Text, '\uFFFD') {
			return fmt.Errorf("%q stands twice among the likeliest", c.Text)
		}
		if c.Text == t.Text && math.Abs(c.LogProb-t.LogProb) > roundedUp {
			return fmt.Errorf("%q has the log-probabilities %g and %g", c.Text, t.LogProb, c.LogProb)
		}
		seen[c.Text] = true
		total += math.Exp(c.LogProb)
	}
	if total > 1+surplusMass {
		return fmt.Errorf("probabilities add up to %g", total)
	}
	return nil
}

// CheckLogProb refuses what is no log-probability; -Inf is one. NaN is
// eval.ErrNotNumbers, a number above 0 eval.ErrReply.
func CheckLogProb(v float64) error {
	switch {
	case math.IsNaN(v):
		return eval.ErrNotNumbers
	case v > roundedUp:
		return fmt.Errorf("%w: the log-probability %g is above 0", eval.ErrReply, v)
	}
	return nil
}
