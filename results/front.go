package results

// Front is the trade-off between categories over the candidates of a study, on
// the search items.
type Front struct {
	Objectives []string `json:"objectives"` // categories
	// Points are the candidates that no other surely dominates, the first objective
	// falling: dominated is who is nowhere better than another and in some objective
	// worse by the paired interval.
	Points []FrontPoint `json:"points"`
	// Near counts the points that are Open.
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
	// Open says that another one is nowhere lower and somewhere higher, but in no
	// objective by more than noise.
	Open bool `json:"open,omitempty"`
}
