package merge

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	"soup/merge/internal/remedy"
)

// layout is a planned set of weight files: their headers and the place of each
// tensor. There are several only where a soup is written in shards.
type layout struct {
	parts   []part
	tensors []Tensor
	spots   []spot
	shards  bool // an index says which part holds what
}

// part is one weight file before its data is there.
type part struct {
	name   string
	header []byte
	size   int64
}

// spot is where a tensor's data goes.
type spot struct {
	part  int
	begin int64 // from the start of the file
}

// layoutLike plans a soup of the format of a checkpoint, in one file. Where no
// dtype changes and the checkpoint is one file, its header is kept to the byte,
// so that a soup of one parent is that parent's file. GGUF keeps it but for the
// dtypes of tensors that were dequantised.
func layoutLike(like *Checkpoint, store DType) (layout, error) {
	changes := false
	for _, t := range like.tensors {
		if t.DType == Quantised {
			return layout{}, remedy.Errorf(quantisedRemedy(t.Stored), "%s: tensor %s is quantised (%s)", like.path, t.Name, t.Stored)
		}
		changes = changes || t.as(store).DType != t.DType
	}
	if like.format == GGUF {
		return layoutGGUF(like, store)
	}
	if like.header == nil || changes {
		return newLayout(like.tensors, like.meta, store)
	}
	l := layout{tensors: like.tensors, parts: []part{{name: weightsName, size: like.size()}}}
	for _, at := range like.places {
		l.spots = append(l.spots, spot{begin: at.begin})
	}
	return l, guarded(like.files, func() error {
		l.parts[0].header = bytes.Clone(like.header)
		return nil
	})
}

// newLayout plans one safetensors file. Wider types come first, in otherwise
// kept order, as the reference implementation has it: that aligns every tensor.
func newLayout(tensors []Tensor, meta map[string]string, store DType) (layout, error) {
	l := layout{parts: []part{{name: weightsName}}}
	for _, t := range tensors {
		l.tensors = append(l.tensors, t.as(store))
	}
	sort.SliceStable(l.tensors, func(i, j int) bool { return l.tensors[i].DType.Size() > l.tensors[j].DType.Size() })
	var text bytes.Buffer
	text.WriteByte('{')
	if len(meta) > 0 {
		if err := member(&text, "__metadata__", meta); err != nil {
			return l, err
		}
	}
	at := int64(0)
	for _, t := range l.tensors {
		end := at + t.bytes
		if err := member(&text, t.Name, tensorJSON{t.Stored, append([]int64{}, t.Shape...), [2]int64{at, end}}); err != nil {
			return l, err
		}
		l.spots, at = append(l.spots, spot{begin: at}), end
	}
	text.WriteByte('}')
	l.prepend(text.Bytes(), at)
	return l, nil
}

// prepend puts the header before that many bytes of data; blanks align the
// data to 8 bytes.
func (l *layout) prepend(text []byte, data int64) {
	if odd := len(text) % 8; odd != 0 {
		text = append(text, slices.Repeat([]byte(" "), 8-odd)...)
	}
	header := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	for i := range l.spots {
		l.spots[i].begin += int64(len(header))
	}
	l.parts[0].header, l.parts[0].size = header, data+int64(len(header))
}

// sharded plans the same tensors as several files of at most limit bytes of
// data each, in the order of the tensors; one that is larger has a file of its
// own. The names are those that transformers gives.
func (l layout) sharded(meta map[string]string, limit int64) (layout, error) {
	var groups [][]Tensor
	room := int64(0)
	for _, t := range l.tensors {
		if len(groups) == 0 || t.bytes > room {
			groups, room = append(groups, nil), limit
		}
		last := len(groups) - 1
		groups[last], room = append(groups[last], t), room-t.bytes
	}
	all := layout{shards: true}
	for i, tensors := range groups {
		one, err := newLayout(tensors, meta, AsStored)
		if err != nil {
			return layout{}, err
		}
		one.parts[0].name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(groups))
		for k := range one.spots {
			one.spots[k].part = i
		}
		all.parts = append(all.parts, one.parts[0])
		all.tensors, all.spots = append(all.tensors, one.tensors...), append(all.spots, one.spots...)
	}
	return all, nil
}

// index is the file that says which shard holds which tensor, as transformers
// writes it: https://huggingface.co/docs/transformers/main/en/big_models
func (l layout) index() ([]byte, error) {
	var of struct {
		Metadata struct {
			TotalSize int64 `json:"total_size"`
		} `json:"metadata"`
		WeightMap map[string]string `json:"weight_map"`
	}
	of.WeightMap = map[string]string{}
	for i, t := range l.tensors {
		of.Metadata.TotalSize += t.bytes
		of.WeightMap[t.Name] = l.parts[l.spots[i].part].name
	}
	text, err := json.MarshalIndent(of, "", "  ")
	return append(text, '\n'), err
}

// size returns the bytes of all weight files.
func (l layout) size() int64 {
	var n int64
	for _, p := range l.parts {
		n += p.size
	}
	return n
}

// data returns the bytes of all tensors.
func (l layout) data() int64 {
	var n int64
	for _, t := range l.tensors {
		n += t.bytes
	}
	return n
}

// store returns the dtype of all averaged tensors, if they share one.
func (l layout) store() DType {
	common := AsStored
	for _, t := range l.tensors {
		switch {
		case !t.DType.Averageable():
		case common == AsStored:
			common = t.DType
		case common != t.DType:
			return AsStored
		}
	}
	return common
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
