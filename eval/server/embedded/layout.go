//go:build cgo

package embedded

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/edsrzf/mmap-go"
	"github.com/ollama/ollama/fs/ggml"
)

// layout is where a GGUF file keeps its tensors. Files with the same header
// have the same layout.
type layout struct {
	header  []byte
	size    int
	tensors []placed
}

type placed struct {
	offset, size int
	targets      []string // names under which the engine holds the tensor
}

func (l layout) fits(file []byte) bool {
	return l.header != nil && len(file) == l.size && bytes.Equal(file[:len(l.header)], l.header)
}

// readLayout reads the header of a GGUF file and makes sure that the tensors
// lie within it: the engine itself does not look.
func readLayout(path string) (layout, error) {
	f, err := os.Open(path)
	if err != nil {
		return layout{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return layout{}, err
	}
	meta, err := ggml.Decode(f, -1)
	if err != nil {
		return layout{}, fmt.Errorf("embedded engine: %s: %w", filepath.Base(path), err)
	}
	start := int(meta.Tensors().Offset)
	l := layout{size: int(info.Size())}
	for _, t := range meta.Tensors().Items() {
		p := placed{offset: start + int(t.Offset), size: int(t.Size()), targets: targets(t.Name, meta)}
		if p.offset < start || p.size < 0 || p.offset+p.size > l.size {
			return layout{}, fmt.Errorf("embedded engine: %s: tensor %s lies outside the file", filepath.Base(path), t.Name)
		}
		if swappable(ggml.TensorType(t.Kind)) {
			l.tensors = append(l.tensors, p)
			continue
		}
		return l, nil // quantised: no header is kept, so every load is a full one
	}
	l.header = make([]byte, start)
	if _, err := f.ReadAt(l.header, 0); err != nil {
		return layout{}, err
	}
	return l, nil
}

// swappable types are held by the engine byte for byte as in the file.
func swappable(t ggml.TensorType) bool {
	return t == ggml.TensorTypeF32 || t == ggml.TensorTypeF16 || t == ggml.TensorTypeBF16
}

// targets mirrors how the engine's loader names what it holds: tied output
// weights and per-layer copies of the rope factors are separate tensors
// (ml/backend/ggml/ggml.go of ollama v0.17.4, New).
func targets(name string, meta *ggml.GGML) []string {
	switch {
	case name == "token_embd.weight":
		if _, untied := meta.Tensors().GroupLayers()["output"]; !untied {
			return []string{name, "output.weight"}
		}
	case strings.HasPrefix(name, "rope_freqs"), strings.HasPrefix(name, "rope_factors_"):
		var names []string
		for i := range int(meta.KV().BlockCount()) {
			names = append(names, "blk."+strconv.Itoa(i)+"."+name)
		}
		return names
	}
	return []string{name}
}

// mapFile maps a file for reading.
func mapFile(path string) ([]byte, func(), error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	m, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return m, func() { _ = m.Unmap() }, nil
}
