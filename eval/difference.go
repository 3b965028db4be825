package eval

// Difference is the mean of paired differences with its standard error.
type Difference struct {
	Mean, SE float64
	N        int // items scored on both sides
	Units    int // independent ones among them, see Category; SE is unknown (0) below 2
}

// Differences returns, for each category, how much higher a scores than b on the
// items that both were scored on: mean and standard error as of [Summarize], which
// takes no resampling. Compare says how sure a difference is.
func Differences(a, b []Outcome) map[string]Difference {
	by := make(map[string]Outcome, len(b))
	for _, o := range b {
		if o.Scored() {
			by[o.ID] = o
		}
	}
	var paired []Outcome
	for _, o := range a {
		if other, ok := by[o.ID]; ok && o.Scored() {
			o.Score -= other.Score
			paired = append(paired, o)
		}
	}
	differences := map[string]Difference{}
	for name, c := range Summarize(paired).Categories {
		differences[name] = Difference{Mean: c.Mean, SE: c.SE, N: c.N, Units: c.Units}
	}
	return differences
}
