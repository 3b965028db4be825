package search

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// choose is the binomial coefficient.
func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}

func TestLatticeSize(t *testing.T) {
	parents := make([]string, 12)
	for i := range parents {
		parents[i] = fmt.Sprint(i)
	}
	s, err := Space{Parents: parents}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	// Souper-Model's grid: C(9, l-1) points of l experts.
	inner, err := s.newLattice(0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := s.newLattice(0.1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for l := 1; l <= 12; l++ {
		if got, want := inner.over(l).size(), choose(9, l-1); got != want {
			t.Errorf("%d experts: %v points; want %v", l, got, want)
		}
		if got, want := whole.over(l).size(), choose(9+l, l-1); got != want {
			t.Errorf("%d parents: %v points; want %v", l, got, want)
		}
	}
}

// Counting, listing and drawing agree on what the rows are.
func TestLatticeAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lattice{
			total: rapid.IntRange(0, 8).Draw(t, "total"),
			low:   rapid.IntRange(-2, 3).Draw(t, "low"),
			high:  rapid.IntRange(-1, 9).Draw(t, "high"),
		}.over(rapid.IntRange(1, 4).Draw(t, "parts"))
		seen := map[string]bool{}
		for row := range l.all() {
			l.check(t, row)
			seen[fmt.Sprint(row)] = true
		}
		if float64(len(seen)) != l.size() {
			t.Fatalf("%+v: size %v, %d rows", l, l.size(), len(seen))
		}
		if len(seen) == 0 {
			return
		}
		for k := range 20 {
			row := l.draw(Rand(rapid.Uint64().Draw(t, "seed"), "lattice", k))
			l.check(t, row)
			if !seen[fmt.Sprint(row)] {
				t.Fatalf("drew %v, which is none of the rows", row)
			}
		}
	})
}

func (l lattice) check(t *rapid.T, row []int) {
	sum := 0
	for _, v := range row {
		sum += v
		if v < l.low || v > l.high {
			t.Fatalf("%+v: row %v out of bounds", l, row)
		}
	}
	if sum != l.total || len(row) != l.parts {
		t.Fatalf("%+v: row %v", l, row)
	}
}

// All rows are drawn equally often: chi-squared with 20 degrees of freedom.
func TestLatticeDrawIsUniform(t *testing.T) {
	l := lattice{total: 5, low: 0, high: 5}.over(3)
	const draws = 21_000
	counts := map[string]float64{}
	r := Rand(1, "lattice", 0)
	for range draws {
		counts[fmt.Sprint(l.draw(r))]++
	}
	expected, chi := draws/l.size(), 0.0
	for _, n := range counts {
		chi += (n - expected) * (n - expected) / expected
	}
	if len(counts) != 21 || chi > 37.6 { // 1 %
		t.Errorf("%d rows, chi-squared %.1f", len(counts), chi)
	}
}

func TestLatticeStops(t *testing.T) {
	l := lattice{total: 10, low: 0, high: 10}.over(4)
	n := 0
	for range l.all() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d rows", n)
	}
}

func TestWeighIsExact(t *testing.T) {
	s := Space{Sum: 1}
	got := s.weigh(lattice{total: 10}, []int{3, 6, 1})
	if !slices.Equal(got, []float64{0.3, 0.6, 0.1}) {
		t.Errorf("got %v", got)
	}
}
