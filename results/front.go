package results

// Front is the trade-off between categories over the candidates of a study, on
// the search items.
type Front struct {
	Objectives []string     `json:"objectives"` // categories
	Points     []FrontPoint `json:"points"`     // that no candidate dominates, the first objective falling
	// Near counts the candidates that some point dominates, but not surely: in no
	// objective is it better by the paired interval.
	Near int `json:"near"`
	// Hypervolume is what the points dominate above Reference, the lowest score of a
	// single parent in each objective; OfParents is the same of the parents alone.
	Reference   []float64 `json:"reference"`
	Hypervolume float64   `json:"hypervolume"`
	OfParents   float64   `json:"hypervolume_of_parents"`
}

// FrontPoint is one candidate.
type FrontPoint struct {
	Trial  int       `json:"trial"`
	Label  string    `json:"label"`
	Scores []float64 `json:"scores"` // by objective, 0 to 1
}
