package merge

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
)

// layout is a single weights file before its data is there: header bytes and
// the place of each tensor.
type layout struct {
	header  []byte
	size    int64
	tensors []Tensor
	begins  []int64 // from the start of the file
}

// layoutLike plans a soup of the format of a checkpoint. Where no dtype
// changes and the checkpoint is one file, its header is kept to the byte, so
// that a soup of one parent is that parent's file. GGUF always keeps it.
func layoutLike(like *Checkpoint, store DType) (layout, error) {
	changes := false
	for _, t := range like.tensors {
		if t.DType == Quantised {
			return layout{}, fmt.Errorf("%s: tensor %s is quantised (%s)", like.path, t.Name, t.Stored)
		}
		changes = changes || t.as(store).DType != t.DType
	}
	if like.format == GGUF && changes {
		return layout{}, failf("leave the store dtype out", "a GGUF soup keeps its parents' dtypes: %s cannot be stored as %s", like.path, store.Torch())
	}
	if like.header == nil || changes {
		return newLayout(like, store)
	}
	l := layout{tensors: like.tensors, size: like.size()}
	for _, at := range like.places {
		l.begins = append(l.begins, at.begin)
	}
	return l, guarded(like.files, func() error {
		l.header = bytes.Clone(like.header)
		return nil
	})
}

// newLayout builds a safetensors header. Wider types come first, in otherwise
// kept order, as the reference implementation has it: that aligns every tensor.
func newLayout(like *Checkpoint, store DType) (layout, error) {
	var l layout
	for _, t := range like.tensors {
		l.tensors = append(l.tensors, t.as(store))
	}
	sort.SliceStable(l.tensors, func(i, j int) bool { return l.tensors[i].DType.Size() > l.tensors[j].DType.Size() })
	var text bytes.Buffer
	text.WriteByte('{')
	if len(like.meta) > 0 {
		if err := member(&text, "__metadata__", like.meta); err != nil {
			return l, err
		}
	}
	for _, t := range l.tensors {
		begin := l.size
		l.begins, l.size = append(l.begins, begin), begin+t.bytes
		if err := member(&text, t.Name, tensorJSON{t.Stored, append([]int64{}, t.Shape...), [2]int64{begin, l.size}}); err != nil {
			return l, err
		}
	}
	text.WriteByte('}')
	l.prepend(text.Bytes())
	return l, nil
}

// prepend puts the header before the data; blanks align the data to 8 bytes.
func (l *layout) prepend(text []byte) {
	if odd := len(text) % 8; odd != 0 {
		text = append(text, slices.Repeat([]byte(" "), 8-odd)...)
	}
	l.header = append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	for i := range l.begins {
		l.begins[i] += int64(len(l.header))
	}
	l.size += int64(len(l.header))
}

type tensorJSON struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// member appends one member of a JSON object.
func member(text *bytes.Buffer, key string, value any) error {
	if text.Len() > 1 {
		text.WriteByte(',')
	}
	enc := json.NewEncoder(text)
	enc.SetEscapeHTML(false)
	for i, v := range []any{key, value} {
		if i == 1 {
			text.WriteByte(':')
		}
		if err := enc.Encode(v); err != nil {
			return err
		}
		text.Truncate(text.Len() - 1) // the encoder's line feed
	}
	return nil
}
