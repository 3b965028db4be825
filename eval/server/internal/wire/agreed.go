package wire

import (
	"fmt"

	"soup/eval"
)

const mostAgreed = 6 // times that Agreed asks

// Agreed asks until two replies are the same, twice mostly: for what is kept and
// used for many requests, where a byte that was changed on the way would count
// for all of them. An error ends it; no two that agree are eval.ErrReply.
func Agreed[T any](same func(a, b T) bool, ask func() (T, error)) (T, error) {
	var heard []T
	var none T
	for range mostAgreed {
		reply, err := ask()
		if err != nil {
			return none, err
		}
		for _, h := range heard {
			if same(h, reply) {
				return h, nil
			}
		}
		heard = append(heard, reply)
	}
	return none, fmt.Errorf("%w: asked %d times, no two replies agree", eval.ErrReply, mostAgreed)
}
