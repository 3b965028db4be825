package eval

// exact is 1 if the answer is the reference, character by character. Nothing is
// trimmed, folded or normalised: a stray space is an error. Use contains, f1 or
// regex where the form of the answer is free.
type exact struct{ answered }

func (exact) Score(it Item, answer string) float64 {
	return best(it, func(ref string) float64 { return oneIf(answer == ref) })
}
