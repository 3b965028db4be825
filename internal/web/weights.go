package web

import (
	"fmt"
	"math"
)

// group is the weights of a group of tensors, one a parent.
type group struct {
	Name string
	Bars []bar
}

// bar is a weight and its bar.
type bar struct {
	Name   string
	Weight string
	Length float64 // 100 is a weight of 1, or the largest of the group if that is more
	Below  bool    // the weight is negative
}

func bars(name string, parents []string, weights map[string]float64) group {
	most := 1.0
	for _, w := range weights {
		most = max(most, math.Abs(w))
	}
	g := group{Name: name}
	for _, parent := range parents {
		w := weights[parent]
		g.Bars = append(g.Bars, bar{
			Name: parent, Weight: fmt.Sprintf("%.3f", math.Round(1000*w)/1000+0), Length: math.Round(1000*math.Abs(w)/most) / 10, Below: w < 0,
		})
	}
	return g
}
