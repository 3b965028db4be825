package merge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	gguf "github.com/gpustack/gguf-parser-go"

	"soup/merge/internal/remedy"
)

// layoutGGUF plans a GGUF soup: the header of like to the byte, unless tensors
// were dequantised, whose dtype it then has to give anew.
func layoutGGUF(like *Checkpoint, store DType) (layout, error) {
	l := layout{parts: []part{{name: weightsName, header: slices.Clone(like.header), size: like.size()}}}
	again := false
	for i, t := range like.tensors {
		switch {
		case like.places[i].blocks && store == AsStored:
			t, again = t.as(F16), true
		case like.places[i].blocks:
			t, again = t.as(store), true
		case t.as(store).DType != t.DType:
			return l, remedy.Errorf("leave the store dtype out", "a GGUF soup keeps its parents' dtypes: %s cannot be stored as %s", like.path, store.Torch())
		}
		l.tensors = append(l.tensors, t)
		l.spots = append(l.spots, spot{begin: like.places[i].begin})
	}
	if !again {
		return l, nil
	}
	if err := l.retype(); err != nil {
		return l, fmt.Errorf("%s: header: %w", like.path, err)
	}
	return l, nil
}

// ggmlTypes and fileTypes number the float types in tensor descriptions and in
// general.file_type: ggml_type and llama_ftype of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
var (
	ggmlTypes = map[DType]uint32{F32: 0, F16: 1, BF16: 30}
	fileTypes = map[DType]uint32{F32: 0, F16: 1, BF16: 32}
)

// GGMLType returns the number of a float type in the descriptions of a GGUF
// file's tensors; false for other types.
func (d DType) GGMLType() (uint32, bool) {
	n, ok := ggmlTypes[d]
	return n, ok
}

// GGUFFileType returns general.file_type of tensors of so many bytes by dtype:
// the one of most bytes, of equal ones the first of F32, F16 and BF16.
func GGUFFileType(bytes map[DType]int64) uint32 {
	most := F32
	for _, d := range []DType{F16, BF16} {
		if bytes[d] > bytes[most] {
			most = d
		}
	}
	return fileTypes[most]
}

// retype writes the tensors' dtypes and new offsets into the header, and the
// file type where there is one.
func (l *layout) retype() error {
	h := &ggufHeader{text: l.parts[0].header, alignment: 32}
	if err := h.scan(); err != nil {
		return err
	}
	data := int64(len(h.text))
	at := int64(0)
	dtypes := map[DType]int64{}
	for i, t := range l.tensors {
		at = (at + h.alignment - 1) / h.alignment * h.alignment
		where, ok := h.infos[t.Name]
		if !ok {
			return fmt.Errorf("tensor %s is not described", t.Name)
		}
		if kind, known := t.DType.GGMLType(); known {
			binary.LittleEndian.PutUint32(h.text[where:], kind)
		}
		binary.LittleEndian.PutUint64(h.text[where+4:], uint64(at))
		l.spots[i].begin = data + at
		at += t.bytes
		dtypes[t.DType] += t.bytes
	}
	l.parts[0].size = data + at
	if h.fileType > 0 {
		binary.LittleEndian.PutUint32(h.text[h.fileType:], GGUFFileType(dtypes))
	}
	return nil
}

// ggufHeader finds what a header says in its bytes.
type ggufHeader struct {
	text      []byte
	at        int
	alignment int64
	fileType  int            // where general.file_type is; 0: nowhere
	infos     map[string]int // where a tensor's type is; its offset follows
}

var errShortHeader = errors.New("cut off")

func (h *ggufHeader) scan() (err error) {
	defer func() {
		if fault := recover(); fault != nil { // a slice out of bounds
			err = errShortHeader
		}
	}()
	tensors, values := binary.LittleEndian.Uint64(h.text[8:]), binary.LittleEndian.Uint64(h.text[16:])
	h.at = 24
	for range values {
		if err := h.value(); err != nil {
			return err
		}
	}
	h.infos = map[string]int{}
	for range tensors {
		name := h.string()
		h.at += 4 + 8*int(binary.LittleEndian.Uint32(h.text[h.at:]))
		h.infos[name] = h.at
		h.at += 12
		if h.at > len(h.text) {
			return errShortHeader
		}
	}
	return nil
}

// value passes over one key and its value.
func (h *ggufHeader) value() error {
	key := h.string()
	kind := gguf.GGUFMetadataValueType(binary.LittleEndian.Uint32(h.text[h.at:]))
	h.at += 4
	switch {
	case key == "general.file_type" && kind == gguf.GGUFMetadataValueTypeUint32:
		h.fileType = h.at
	case key == "general.alignment" && kind == gguf.GGUFMetadataValueTypeUint32:
		h.alignment = max(1, int64(binary.LittleEndian.Uint32(h.text[h.at:])))
	}
	return h.skip(kind)
}

// skip passes over a value of a type.
func (h *ggufHeader) skip(kind gguf.GGUFMetadataValueType) error {
	switch kind {
	case gguf.GGUFMetadataValueTypeUint8, gguf.GGUFMetadataValueTypeInt8, gguf.GGUFMetadataValueTypeBool:
		h.at++
	case gguf.GGUFMetadataValueTypeUint16, gguf.GGUFMetadataValueTypeInt16:
		h.at += 2
	case gguf.GGUFMetadataValueTypeUint32, gguf.GGUFMetadataValueTypeInt32, gguf.GGUFMetadataValueTypeFloat32:
		h.at += 4
	case gguf.GGUFMetadataValueTypeUint64, gguf.GGUFMetadataValueTypeInt64, gguf.GGUFMetadataValueTypeFloat64:
		h.at += 8
	case gguf.GGUFMetadataValueTypeString:
		h.string()
	case gguf.GGUFMetadataValueTypeArray:
		item := gguf.GGUFMetadataValueType(binary.LittleEndian.Uint32(h.text[h.at:]))
		n := binary.LittleEndian.Uint64(h.text[h.at+4:])
		h.at += 12
		for range n {
			if err := h.skip(item); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("value of unknown type %d", kind)
	}
	if h.at > len(h.text) {
		return errShortHeader
	}
	return nil
}

// string reads a length-prefixed string.
func (h *ggufHeader) string() string {
	n := int(binary.LittleEndian.Uint64(h.text[h.at:]))
	s := string(h.text[h.at+8 : h.at+8+n])
	h.at += 8 + n
	return s
}
