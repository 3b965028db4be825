package merge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// followed is a file with a header and tensors, some of them empty, some with
// padding behind them.
func followed(t *rapid.T) (layout, []byte) {
	l := layout{parts: []part{{header: make([]byte, rapid.IntRange(0, 9).Draw(t, "header"))}}}
	at := int64(len(l.parts[0].header))
	for range rapid.IntRange(0, 6).Draw(t, "tensors") {
		at += rapid.Int64Range(0, 3).Draw(t, "padding")
		size := rapid.Int64Range(0, 40).Draw(t, "size")
		l.tensors, l.spots = append(l.tensors, Tensor{bytes: size}), append(l.spots, spot{begin: at})
		at += size
	}
	l.parts[0].size = at + rapid.Int64Range(0, 3).Draw(t, "end")
	data := make([]byte, l.parts[0].size)
	for k, s := range l.spots {
		for i := range l.tensors[k].bytes {
			data[s.begin+i] = rapid.Byte().Draw(t, "data")
		}
	}
	return l, data
}

// TestFollower: whatever order the pieces come in, the hash is the file's.
func TestFollower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, data := followed(t)
		f := l.followPart(0, bytes.NewReader(data))
		var pieces []spot
		var sizes []int64
		for k, s := range l.spots {
			for at := int64(0); at < l.tensors[k].bytes; {
				n := min(rapid.Int64Range(1, 17).Draw(t, "piece"), l.tensors[k].bytes-at)
				pieces, sizes = append(pieces, spot{begin: s.begin + at}), append(sizes, n)
				at += n
			}
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		for _, i := range r.Perm(len(pieces)) {
			f.wrote(pieces[i].begin, sizes[i])
		}
		got, err := f.finish(context.Background())
		sum := sha256.Sum256(data)
		if want := hex.EncodeToString(sum[:]); got != want || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	})
}

// TestFollowerGivesUp: pieces that never come, a failing read, an end before
// the end.
func TestFollowerGivesUp(t *testing.T) {
	l := layout{parts: []part{{size: 8}}, tensors: []Tensor{{bytes: 8}}, spots: []spot{{}}}
	f := l.followPart(0, bytes.NewReader(make([]byte, 8)))
	f.wrote(4, 4)
	if _, err := f.finish(t.Context()); !errors.Is(err, errGap) {
		t.Errorf("a gap: %v", err)
	}
	f = l.followPart(0, bytes.NewReader(make([]byte, 4)))
	f.wrote(0, 8)
	if _, err := f.finish(t.Context()); err == nil {
		t.Error("a file that became shorter is hashed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f = l.followPart(0, bytes.NewReader(make([]byte, 8)))
	if _, err := f.finish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	l.followPart(0, bytes.NewReader(nil)).abandon()
}
