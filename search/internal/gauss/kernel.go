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
func (k Kernel) Between(x, y []float64) float64 {
	distance, product := apart(x, y)
	return k.of(matern(distance/k.Length), product)
}

// apart are the distance and the inner product of x and y.
func apart(x, y []float64) (distance, product float64) {
	squares := 0.0
	for i, a := range x {
		squares += (a - y[i]) * (a - y[i])
		product += a * y[i]
	}
	return math.Sqrt(squares), product
}

// matern is the correlation at a distance in lengths.
func matern(distance float64) float64 {
	r := math.Sqrt(5) * distance
	return (1 + r + r*r/3) * math.Exp(-r)
}

// of is the covariance of places with a correlation and an inner product.
func (k Kernel) of(alike, product float64) float64 {
	return k.Level + k.Slope*product + k.Signal*alike
}
