package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

const (
	oneTokenizer   = "average only checkpoints with one tokenizer"
	firstTokenizer = "the soup gets the first parent's tokenizer"
)

// compareTokenizers says which tokens differ. Rows of embeddings that stand
// for different tokens would be averaged with each other.
func (c *checker) compareTokenizers() {
	a, b := c.firstID, c.otherID
	if bytes.Equal(a.tokenizer, b.tokenizer) {
		return
	}
	if a.tokenizer == nil || b.tokenizer == nil {
		c.add(Warn, "tokenizer", "", "put the tokenizer files beside the weights", "only one of this and %s has a tokenizer: they were not compared", c.first.path)
		return
	}
	if a.vocab == nil || b.vocab == nil {
		c.refuse("vocabulary", oneTokenizer, "tokenizer file differs from that of %s", c.first.path)
		return
	}
	va, errA := a.vocab()
	vb, errB := b.vocab()
	if c.readable(errA, errB) {
		c.compareVocabularies(va, vb)
	}
}

// readable reports what could not be parsed.
func (c *checker) readable(first, other error) bool {
	for i, err := range []error{first, other} {
		if err != nil {
			c.found = append(c.found, Finding{"config", Refuse, []string{c.first.path, c.other.path}[i], "", err.Error(), "repair or replace the file"})
		}
	}
	return first == nil && other == nil
}

func (c *checker) compareVocabularies(a, b vocabulary) {
	if !bytes.Equal(a.rawTokens, b.rawTokens) {
		c.compareTokens(a, b)
	}
	if !bytes.Equal(a.rawMerges, b.rawMerges) && a.merges() != b.merges() {
		c.add(Warn, "tokenizer", "", firstTokenizer, "merges differs from %s: text is split differently", c.first.path)
	}
	if d := differences(a.added, b.added, c.first.path); len(d) > 0 {
		c.add(c.unlessBase(Refuse), "added-tokens", "", oneTokenizer, "%s", some(d, "added tokens differ"))
	} else if d := differences(a.flags, b.flags, c.first.path); len(d) > 0 {
		c.add(Warn, "added-tokens", "", firstTokenizer, "%s", some(d, "added tokens differ in their flags"))
	}
	for _, rule := range sortedKeys(a.rules) {
		if a.rules[rule] != b.rules[rule] {
			c.add(Warn, "tokenizer", "", firstTokenizer, "%s differs from %s: text is split differently", rule, c.first.path)
		}
	}
}

func (c *checker) compareTokens(a, b vocabulary) {
	ta, errA := a.tokens()
	tb, errB := b.tokens()
	if !c.readable(errA, errB) {
		return
	}
	if d := differences(ta, tb, c.first.path); len(d) > 0 {
		c.refuse("vocabulary", oneTokenizer, "%s", some(d, fmt.Sprintf("of %d token ids differ", max(len(ta), len(tb)))))
	}
}

// unlessBase softens a refusal for the base: instruction tuning gives special
// tokens a meaning that its base does not have, and the base is not averaged.
func (c *checker) unlessBase(severity string) string {
	if c.isBase && severity == Refuse {
		return Warn
	}
	return severity
}

// differences lists ids that stand for different texts.
func differences(a, b map[int]string, first string) []string {
	var ids []int
	for id, x := range a {
		if y, ok := b[id]; !ok || x != y {
			ids = append(ids, id)
		}
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	out := make([]string, len(ids))
	for i, id := range ids {
		x, inA := a[id]
		y, inB := b[id]
		switch {
		case !inA:
			out[i] = fmt.Sprintf("id %d is %q but does not exist in %s", id, y, first)
		case !inB:
			out[i] = fmt.Sprintf("id %d does not exist but is %q in %s", id, x, first)
		default:
			out[i] = fmt.Sprintf("id %d is %q but %q in %s", id, y, x, first)
		}
	}
	return out
}

// compareSpecials compares the tokens that begin and end texts.
func (c *checker) compareSpecials() {
	a, b := c.firstID.special, c.otherID.special
	for _, k := range sortedKeys(a) {
		v, ok := b[k]
		if !ok || v == a[k] {
			continue
		}
		severity := c.unlessBase(Refuse)
		if overlap(a[k], v) {
			severity = Warn
		}
		c.add(severity, "special-tokens", "", oneTokenizer, "%s is %s, but %s in %s", k, v, a[k], c.first.path)
	}
	c.compareValues("special-tokens", c.firstID.loose, c.otherID.loose, Warn, "the soup gets the first parent's")
}

// overlap says whether two "one id or a list of ids" share an id: a chat model
// often ends at more tokens than the checkpoint it was tuned from.
func overlap(a, b string) bool {
	for _, x := range idList(a) {
		if slices.Contains(idList(b), x) {
			return true
		}
	}
	return false
}

func idList(text string) []int {
	var list []int
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	var one int
	if json.Unmarshal([]byte(text), &one) == nil {
		return []int{one}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
