package gauss

import "math"

// Kernel is the covariance of the values at two places x and y:
//
//	Level + Signal matern(|x-y| / Length)
//
// with the Matérn 5/2 correlation of Rasmussen and Williams 2006, equation 4.17.
type Kernel struct {
	Level  float64 // variance of the mean of all values
	Signal float64 // variance of what changes from place to place
	Length float64 // distance over which that changes
}

// of is the covariance of values with Matérn's correlation.
func (k Kernel) of(alike float64) float64 { return k.Level + k.Signal*alike }

// Between is the covariance of the values at x and y.
func (k Kernel) Between(x, y []float64) float64 { return k.At(distance(x, y)) }

// At is the covariance of the values at two places with this distance.
func (k Kernel) At(distance float64) float64 { return k.of(matern(distance / k.Length)) }

// View is a place as seen from those that were observed, or could have been. All
// processes with the same places share it, those with the same length also the
// correlations. It is not safe for concurrent use.
type View struct {
	distance []float64
	alike    map[float64][]float64 // by length
}

// NewView looks at x from the places that Observations.Apart is about.
func NewView(x []float64, places [][]float64) *View {
	return &View{distances(x, places), map[float64][]float64{}}
}

func (v *View) correlations(length float64) []float64 {
	alike, known := v.alike[length]
	if !known {
		alike = correlations(v.distance, length)
		v.alike[length] = alike
	}
	return alike
}

// Distances are those of places, which have the same number of coordinates.
func Distances(places [][]float64) Pairs {
	apart := make(Pairs, len(places))
	for i, x := range places {
		apart[i] = distances(x, places[:i])
	}
	return apart
}

func distances(x []float64, others [][]float64) []float64 {
	all := make([]float64, len(others))
	for i, y := range others {
		all[i] = distance(x, y)
	}
	return all
}

func distance(x, y []float64) float64 {
	squares := 0.0
	for i, a := range x {
		squares += (a - y[i]) * (a - y[i])
	}
	return math.Sqrt(squares)
}

func correlations(distance []float64, length float64) []float64 {
	alike := make([]float64, len(distance))
	for i, d := range distance {
		alike[i] = matern(d / length)
	}
	return alike
}

// matern is the correlation at a distance in lengths.
func matern(distance float64) float64 {
	r := math.Sqrt(5) * distance
	return (1 + r + r*r/3) * math.Exp(-r)
}
