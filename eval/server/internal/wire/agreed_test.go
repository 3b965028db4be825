package wire

import (
	"errors"
	"testing"

	"soup/eval"
)

func TestAgreed(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name    string
		replies []int // 0 is an error
		want    int
		is      error
		asked   int
	}{
		{"at once", []int{1, 1}, 1, nil, 2},
		{"one changed", []int{1, 2, 1}, 1, nil, 3},
		{"the first changed", []int{3, 1, 1}, 1, nil, 3},
		{"error", []int{1, 0}, 0, broken, 2},
		{"never", []int{1, 2, 3, 4, 5, 6, 7}, 0, eval.ErrReply, 6},
	} {
		n := 0
		got, err := Agreed(func(a, b int) bool { return a == b }, func() (int, error) {
			n++
			if c.replies[n-1] == 0 {
				return 0, broken
			}
			return c.replies[n-1], nil
		})
		if got != c.want || !errors.Is(err, c.is) || n != c.asked {
			t.Errorf("%s: %d, %v after %d", c.name, got, err, n)
		}
	}
}
