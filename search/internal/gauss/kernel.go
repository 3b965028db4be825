package gauss

import (
	"math"
	"sync"
)

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

// Correlations are Matérn's between places (rows) and others (columns), for each
// length: all processes of a length share them.
type Correlations map[float64][][]float64

// Correlate uses all cores.
func Correlate(places, others [][]float64, lengths []float64) Correlations {
	c := Correlations{}
	for _, length := range lengths {
		c[length] = make([][]float64, len(places))
	}
	var wait sync.WaitGroup
	for i, x := range places {
		wait.Go(func() {
			distance := distances(x, others)
			for length, rows := range c {
				rows[i] = correlations(distance, length)
			}
		})
	}
	wait.Wait()
	return c
}

func distances(x []float64, others [][]float64) []float64 {
	distance := make([]float64, len(others))
	for i, y := range others {
		squares := 0.0
		for j, a := range x {
			squares += (a - y[j]) * (a - y[j])
		}
		distance[i] = math.Sqrt(squares)
	}
	return distance
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
