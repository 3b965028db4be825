package merge

import (
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sort"

	gguf "github.com/gpustack/gguf-parser-go"

	"soup/merge/internal/remedy"
)

// ggufFacts is what a GGUF header says about the model, for [Check]. Large
// arrays are slices of the mapping: the parser trims blanks off strings, so
// tokens are compared as they lie in the file.
type ggufFacts struct {
	values map[string]string // scalars, printed
	arrays map[string][]byte // type, length and items
}

var ggufDTypes = map[gguf.GGMLType]DType{
	gguf.GGMLTypeF32: F32, gguf.GGMLTypeF16: F16, gguf.GGMLTypeBF16: BF16, gguf.GGMLTypeF64: F64,
	gguf.GGMLTypeI64: I64, gguf.GGMLTypeI32: I32, gguf.GGMLTypeI16: I16, gguf.GGMLTypeI8: I8,
}

// openGGUF maps a GGUF file and adds its tensors.
func (c *Checkpoint) openGGUF(path string) error {
	if gguf.CompleteShardGGUFFilename(path) != nil {
		return remedy.Errorf("join the parts first: llama-gguf-split --merge", "%s: one part of a split model", path)
	}
	file, err := c.openFile(path, filepath.Base(path))
	if err != nil {
		return err
	}
	return guarded(c.files, func() error {
		if err := c.addGGUF(file); err != nil {
			return remedy.Errorf("download or convert the file again", "%s: %w", path, err)
		}
		return nil
	})
}

// addGGUF reads an opened GGUF file's header.
func (c *Checkpoint) addGGUF(file *mapping) error {
	head, err := file.window(0, min(24, file.size()), nil)
	if err != nil {
		return err
	}
	if len(head) < 24 || string(head[:4]) != "GGUF" {
		return fmt.Errorf("not a GGUF file")
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 2 && v != 3 {
		return fmt.Errorf("GGUF version %d (or big-endian) is not read, only 2 and 3", v)
	}
	parsed, err := parseGGUF(file.path, file.data != nil)
	if err != nil {
		return err
	}
	start := parsed.TensorDataStartOffset
	if start < 24 || start > file.size() {
		return fmt.Errorf("header ends at byte %d, but the file holds %d: truncated", start, file.size())
	}
	if err := c.addGGUFTensors(file, parsed.TensorInfos, start); err != nil {
		return err
	}
	if c.header, err = file.window(0, start, nil); err != nil {
		return err
	}
	c.gguf, err = readFacts(c.header, parsed.Header.MetadataKV)
	return err
}

// parseGGUF calls the parser, which panics on some malformed headers.
func parseGGUF(path string, mapped bool) (f *gguf.GGUFFile, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("malformed header: %v", fault)
		}
	}()
	options := []gguf.GGUFReadOption{gguf.SkipLargeMetadata()}
	if mapped {
		options = append(options, gguf.UseMMap())
	}
	return gguf.ParseGGUFFile(path, options...)
}

// addGGUFTensors checks sizes, bounds and overlaps, which the parser does not.
func (c *Checkpoint) addGGUFTensors(file *mapping, infos gguf.GGUFTensorInfos, start int64) error {
	room := uint64(file.size() - start)
	infos = slices.Clone(infos)
	sort.SliceStable(infos, func(i, j int) bool { return infos[i].Offset < infos[j].Offset })
	var at uint64
	for _, info := range infos {
		t, err := ggufTensor(info)
		if err != nil {
			return err
		}
		to := place{file: file, begin: start + int64(info.Offset), stored: t.bytes}
		switch {
		case info.Offset < at:
			return fmt.Errorf("tensor %q overlaps the one before it", t.Name)
		case info.Offset > room || uint64(t.bytes) > room-info.Offset:
			return fmt.Errorf("tensor %q goes beyond the end of the file: truncated", t.Name)
		}
		at = info.Offset + uint64(t.bytes)
		if to.blocks = c.options.Dequantise && info.Type == gguf.GGMLTypeQ8_0; to.blocks {
			if n := t.row(); n%q8Elements != 0 {
				return fmt.Errorf("tensor %q: a row of %d elements is no number of Q8_0 blocks of %d", t.Name, n, q8Elements)
			}
			t.DType, t.bytes = F32, t.Elements()*F32.Size()
		}
		if err := c.add(t, to); err != nil {
			return err
		}
	}
	return nil
}

// ggufTensor describes a tensor; dimensions are turned into row-major order.
func ggufTensor(info gguf.GGUFTensorInfo) (Tensor, error) {
	n, ok := elements(info.Dimensions)
	if !ok || n > math.MaxInt64/8 {
		return Tensor{}, fmt.Errorf("tensor %q: dimensions %v are too large", info.Name, info.Dimensions)
	}
	t := Tensor{Name: info.Name, DType: Quantised, Stored: info.Type.String()}
	for _, d := range slices.Backward(info.Dimensions) {
		t.Shape = append(t.Shape, int64(d))
	}
	if d, ok := ggufDTypes[info.Type]; ok {
		t.DType, t.bytes = d, int64(n)*d.Size()
		return t, nil
	}
	size, err := quantisedBytes(info)
	t.bytes = size
	return t, err
}

// row returns the elements of the last dimension, which lie side by side.
func (t Tensor) row() int64 {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// quantisedBytes asks the parser, which panics on types it does not know.
func quantisedBytes(info gguf.GGUFTensorInfo) (size int64, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("tensor %q: %v", info.Name, fault)
		}
	}()
	n := info.Bytes()
	if n > math.MaxInt64 {
		return 0, fmt.Errorf("tensor %q is too large", info.Name)
	}
	return int64(n), nil
}

// readFacts keeps scalars as text and arrays as slices of the header.
func readFacts(header []byte, kvs gguf.GGUFMetadataKVs) (*ggufFacts, error) {
	facts := &ggufFacts{map[string]string{}, map[string][]byte{}}
	for _, kv := range kvs {
		array, ok := kv.Value.(gguf.GGUFMetadataKVArrayValue)
		if !ok {
			facts.values[kv.Key] = fmt.Sprint(kv.Value)
			continue
		}
		begin, end := array.StartOffset, array.StartOffset+12+array.Size
		if begin < 0 || end < begin || end > int64(len(header)) {
			return nil, fmt.Errorf("array %q goes beyond the header", kv.Key)
		}
		facts.arrays[kv.Key] = header[begin:end:end]
	}
	if n, ok := facts.values["split.count"]; ok && n != "0" && n != "1" {
		return nil, fmt.Errorf("one of %s parts of a split model: join them with llama-gguf-split --merge", n)
	}
	return facts, nil
}

// ggufStrings reads an array of strings: type, length, then length-prefixed
// items, all little-endian.
func ggufStrings(array []byte) ([]string, error) {
	if len(array) < 12 || binary.LittleEndian.Uint32(array) != uint32(gguf.GGUFMetadataValueTypeString) {
		return nil, fmt.Errorf("not an array of strings")
	}
	var items []string
	for rest := array[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, fmt.Errorf("array of strings is cut off")
		}
		n := binary.LittleEndian.Uint64(rest)
		if n > uint64(len(rest)-8) {
			return nil, fmt.Errorf("array of strings is cut off")
		}
		items = append(items, string(rest[8:8+n]))
		rest = rest[8+n:]
	}
	return items, nil
}
