package gauss

import "math"

// Kernel is the covariance of the values at two places x and y:
//
//	Level + Slope x.y + Signal matern(|x-y| / Length)
//
// with the Matérn 5/2 correlation of Rasmussen and Williams 2006, equation 4.17.
type Kernel struct {
	Level  float64 // variance of the mean of all values
	Slope  float64 // variance of a value's change with each coordinate
	Signal float64 // variance of what is neither
	Length float64 // distance over which that changes
}

// Between is the covariance of the values at x and y.
func (k Kernel) Between(x, y []float64) float64 { return k.of(apart(x, y)) }

// apart are the distance and the inner product of x and y.
func apart(x, y []float64) (distance, product float64) {
	squares := 0.0
	for i, a := range x {
		squares += (a - y[i]) * (a - y[i])
		product += a * y[i]
	}
	return math.Sqrt(squares), product
}

// of is the covariance of places with a distance and an inner product.
func (k Kernel) of(distance, product float64) float64 {
	r := math.Sqrt(5) * distance / k.Length
	return k.Level + k.Slope*product + k.Signal*(1+r+r*r/3)*math.Exp(-r)
}
