package merge

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestShardsHoldTheSameSoup writes one soup in shards of many sizes.
func TestShardsHoldTheSameSoup(t *testing.T) {
	parents := []*Checkpoint{open(t, garden+"finetune/arith"), open(t, garden+"finetune/order")}
	whole := open(t, writeSoup(t, parents, global(0.3, 0.7), WriteOptions{}))
	for _, limit := range []int64{1, 20_000, 100_000, 1 << 40} {
		out := writeSoup(t, parents, global(0.3, 0.7), WriteOptions{Shard: limit})
		c := open(t, out)
		for _, x := range whole.Tensors() {
			got, err := c.Bytes(x.Name)
			want, _ := whole.Bytes(x.Name)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d: %s differs (%v)", limit, x.Name, err)
			}
		}
		if fs := Check([]*Checkpoint{whole, c}, nil); fs.Err() != nil {
			t.Error(fs)
		}
		index := string(read(t, filepath.Join(out, indexName)))
		if !strings.Contains(index, `"model-00001-of-`) || !json.Valid([]byte(index)) {
			t.Errorf("index %s", index)
		}
		if saved, err := ReadRecipe(filepath.Join(out, recordName)); err != nil || len(saved.SHA256) != 64 {
			t.Errorf("%v, %v", saved, err)
		}
		again := writeSoup(t, parents, global(0.3, 0.7), WriteOptions{Shard: limit})
		for _, name := range listing(t, out) {
			if !bytes.Equal(read(t, filepath.Join(out, name)), read(t, filepath.Join(again, name))) {
				t.Errorf("%d: %s is not the same when written again", limit, name)
			}
		}
	}
}

// TestShardSizes: no shard is above the limit unless it holds one tensor, and
// the tensors keep their order.
func TestShardSizes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.Int64Range(1, 300), 1, 40).Draw(rt, "sizes")
		limit := rapid.Int64Range(1, 1000).Draw(rt, "limit")
		var tensors []Tensor
		for i, n := range sizes {
			tensors = append(tensors, Tensor{Name: string(rune('a'+i/26)) + string(rune('a'+i%26)), DType: U8, Stored: "U8", Shape: []int64{n}, bytes: n})
		}
		one, err := newLayout(tensors, nil, AsStored)
		if err != nil {
			rt.Fatal(err)
		}
		l, err := one.sharded(nil, limit)
		if err != nil || len(l.tensors) != len(tensors) {
			rt.Fatalf("%d tensors: %v", len(l.tensors), err)
		}
		held, count := make([]int64, len(l.parts)), make([]int, len(l.parts))
		for i, x := range l.tensors {
			if x.Name != tensors[i].Name || i > 0 && l.spots[i].part < l.spots[i-1].part {
				rt.Fatalf("tensor %d is %s in part %d", i, x.Name, l.spots[i].part)
			}
			held[l.spots[i].part] += x.bytes
			count[l.spots[i].part]++
		}
		for i, n := range held {
			if n > limit && count[i] > 1 || l.parts[i].size != n+int64(len(l.parts[i].header)) {
				rt.Fatalf("part %d holds %d bytes of %d tensors", i, n, count[i])
			}
		}
	})
}

func TestShardsRefused(t *testing.T) {
	_, err := Write(t.Context(), filepath.Join(t.TempDir(), "o.gguf"), []*Checkpoint{smallGGUF(t, 1)}, nil, global(1), WriteOptions{Shard: 100})
	wantError(t, err, "not written in shards")
	_, err = Write(t.Context(), filepath.Join(t.TempDir(), "o"), []*Checkpoint{small(t, 1)}, nil, global(1), WriteOptions{Shard: -1})
	wantError(t, err, "shard size -1")
}
