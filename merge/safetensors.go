package merge

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"unicode/utf8"

	"soup/merge/internal/remedy"
)

// maxHeader is the reference implementation's limit of a header's length:
// https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs
const maxHeader = 100_000_000

// entry is one tensor as a safetensors header declares it; offsets count from
// the end of the header.
type entry struct {
	Tensor
	begin, end uint64
}

// openSafetensors opens one safetensors file and adds its tensors.
func (c *Checkpoint) openSafetensors(path, name string) error {
	file, err := c.openFile(path, name)
	if err != nil {
		return err
	}
	return guarded(c.files, func() error { return c.addSafetensors(file) })
}

// addSafetensors reads an opened file's header.
func (c *Checkpoint) addSafetensors(file *mapping) error {
	header, err := readHeader(file)
	if err != nil {
		return remedy.Errorf("download or copy the file again", "%s: %w", file.path, err)
	}
	start := int64(len(header))
	entries, meta, err := parseHeader(header[8:], uint64(file.size()-start))
	if err != nil {
		return remedy.Errorf("download or copy the file again", "%s: %w", file.path, err)
	}
	if len(c.files) == 1 {
		c.meta, c.header = meta, header
	}
	for _, e := range entries {
		if err := c.add(e.Tensor, place{file: file, begin: start + int64(e.begin), stored: e.bytes}); err != nil {
			return remedy.Errorf("download the checkpoint again", "%s: %w", file.path, err)
		}
	}
	return nil
}

// readHeader returns what comes before the data of a safetensors file: 8 bytes
// of length, little-endian, and that many bytes of JSON.
func readHeader(file *mapping) ([]byte, error) {
	if file.size() < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file", file.size())
	}
	length, err := file.window(0, 8, nil)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length)
	if n > maxHeader {
		return nil, fmt.Errorf("header length %d is above the format's limit of %d", n, maxHeader)
	}
	if n > uint64(file.size()-8) {
		return nil, fmt.Errorf("header length %d goes beyond the end of the file (%d bytes)", n, file.size())
	}
	return file.window(0, 8+int64(n), nil)
}

// parseHeader reads the JSON of a safetensors header for a file with that many
// bytes of data. The entries are returned in the order of their data, which
// they cover without gap or overlap.
func parseHeader(raw []byte, data uint64) ([]entry, map[string]string, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, nil, fmt.Errorf("header does not begin with {")
	}
	if !utf8.Valid(raw) {
		return nil, nil, fmt.Errorf("header is not valid UTF-8")
	}
	var entries []entry
	var meta map[string]string
	err := object(raw, func(key string, value json.RawMessage) error {
		if key == "__metadata__" {
			return json.Unmarshal(value, &meta)
		}
		e, err := parseEntry(key, value)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].begin < entries[j].begin })
	return entries, meta, contiguous(entries, data)
}

// contiguous checks that entries, sorted by begin, cover the data exactly.
func contiguous(entries []entry, data uint64) error {
	var at uint64
	last := "the header"
	for _, e := range entries {
		switch {
		case e.end > data:
			return fmt.Errorf("tensor %q ends at byte %d of the data, but the file holds %d: truncated", e.Name, e.end, data)
		case e.begin < at:
			return fmt.Errorf("tensor %q overlaps %s", e.Name, last)
		case e.begin > at:
			return fmt.Errorf("gap of %d bytes before tensor %q", e.begin-at, e.Name)
		}
		at, last = e.end, strconv.Quote(e.Name)
	}
	if at != data {
		return fmt.Errorf("%d bytes follow the last tensor", data-at)
	}
	return nil
}

// parseEntry reads {"dtype":..,"shape":[..],"data_offsets":[begin,end]}.
func parseEntry(name string, raw json.RawMessage) (entry, error) {
	var dtype string
	var shape, offsets []uint64
	err := object(raw, func(key string, value json.RawMessage) error {
		switch key {
		case "dtype":
			return json.Unmarshal(value, &dtype)
		case "shape":
			return json.Unmarshal(value, &shape)
		case "data_offsets":
			return json.Unmarshal(value, &offsets)
		}
		return nil
	})
	if err != nil {
		return entry{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return entry{}, fmt.Errorf("tensor %q: data_offsets %v are not [begin, end]", name, offsets)
	}
	if shape == nil {
		return entry{}, fmt.Errorf("tensor %q: no shape", name)
	}
	e := entry{begin: offsets[0], end: offsets[1]}
	e.Tensor, err = declared(name, dtype, shape, e.end-e.begin)
	return e, err
}

// declared builds a tensor and checks that its size is its shape's.
func declared(name, dtype string, shape []uint64, size uint64) (Tensor, error) {
	t := Tensor{Name: name, Stored: dtype, bytes: int64(size), Shape: make([]int64, len(shape))}
	var width uint64
	var err error
	if t.DType, width, err = safetensorsDType(dtype); err != nil {
		return t, fmt.Errorf("tensor %q: %w", name, err)
	}
	n, ok := elements(shape)
	if !ok || n > math.MaxInt64/width {
		return t, fmt.Errorf("tensor %q: shape %v is too large", name, shape)
	}
	if n*width%8 != 0 || n*width/8 != size {
		return t, fmt.Errorf("tensor %q: %d bytes do not hold %s of shape %v", name, size, dtype, shape)
	}
	for i, d := range shape {
		t.Shape[i] = int64(d)
	}
	return t, nil
}

// object calls do for each member of a JSON object, in order, and refuses a
// key that is there twice, which encoding/json would pass over.
func object(raw []byte, do func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return fmt.Errorf("broken JSON: %w", err)
		}
		key, ok := token.(string)
		if !ok || seen[key] {
			return fmt.Errorf("key %q is there twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("broken JSON at %q: %w", key, err)
		}
		if err := do(key, value); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("broken JSON: %w", err)
	}
	if len(bytes.TrimSpace(raw[dec.InputOffset():])) > 0 {
		return fmt.Errorf("text after the JSON object")
	}
	return nil
}
