package convert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/google/renameio/v2"

	"soup/merge"
	"soup/merge/internal/remedy"
)

// Converted is a checkpoint as a GGUF file.
type Converted struct {
	Path    string              // the file
	Sources map[string][]string // its tensors' names to those of the checkpoint; one without sources is computed from config.json
	// Inexact names tensors whose values are not those of the checkpoint but
	// shifted or rounded: an average of them is not the conversion of the average.
	Inexact map[string]bool
}

// formatVersion is part of a cached file's name: raise it when something else
// is written for the same checkpoint.
const formatVersion = "v2"

// Cache writes the Hugging Face directory dir as a GGUF file into the folder
// cache, once for each digest (the checkpoint's content hash; "" is not looked
// up).
func Cache(ctx context.Context, dir, cache, digest string) (Converted, error) {
	path := filepath.Join(cache, cacheName(dir, digest))
	m, err := open(dir, path)
	if err != nil {
		return Converted{}, err
	}
	defer m.close()
	if _, ok := Cached(cache, digest); ok {
		return m.converted, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Converted{}, err
	}
	return m.converted, m.write(ctx)
}

// Path is Cache for those who need nothing but the file.
func Path(ctx context.Context, dir, cache, digest string) (string, error) {
	c, err := Cache(ctx, dir, cache, digest)
	return c.Path, err
}

// Cached returns the file that Cache has written for a digest, if it has.
func Cached(cache, digest string) (string, bool) {
	path := filepath.Join(cache, cacheName("", digest))
	_, err := os.Stat(path)
	return path, err == nil && digest != ""
}

func cacheName(dir, digest string) string {
	if digest == "" {
		digest = dir
	}
	sum := sha256.Sum256([]byte(digest))
	return hex.EncodeToString(sum[:16]) + "-" + formatVersion + ".gguf"
}

// Write writes the Hugging Face directory dir as the GGUF file out, which must
// not exist and appears complete or not at all.
func Write(ctx context.Context, dir, out string) (Converted, error) {
	if _, err := os.Lstat(out); err == nil {
		return Converted{}, remedy.Errorf("choose another path or remove it", "%s: exists already", out)
	}
	m, err := open(dir, out)
	if err != nil {
		return Converted{}, err
	}
	defer m.close()
	return m.converted, m.write(ctx)
}

// model is a directory that can be converted.
type model struct {
	dir       string
	converted Converted
	from      *merge.Checkpoint
	metadata  metadata
	tensors   []tensor
	library   *library // writes the model, where this package does not know the architecture itself
}

func (m *model) close() {
	if m.from != nil {
		_ = m.from.Close()
	}
}

// open reads everything but the weights and refuses what would be wrong.
func open(dir, out string) (m *model, err error) {
	m = &model{dir: dir, converted: Converted{Path: out, Sources: map[string][]string{}, Inexact: map[string]bool{}}}
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	kind, own := architectures[c.architecture()]
	if !own {
		if m.library, err = openLibrary(dir, c); err != nil {
			return nil, err
		}
		return m, m.library.describe(&m.converted)
	}
	if m.from, err = merge.Open(dir); err != nil {
		return nil, err
	}
	if err := m.read(kind, c); err != nil {
		m.close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

// read plans the file.
func (m *model) read(kind architecture, c config) error {
	keys, err := modelKeys(kind, c)
	if err != nil {
		return err
	}
	p := plan{kind: kind, keys: keys, from: m.from}
	if err := p.all(); err != nil {
		return err
	}
	m.metadata, m.tensors = keys.metadata, p.tensors
	m.metadata["general.file_type"] = fileType(m.tensors)
	keys.whole("vocab_size", keys.shape.vocabulary)
	for _, t := range m.tensors {
		m.converted.Sources[t.name] = t.sources
		if t.plus != 0 {
			m.converted.Inexact[t.name] = true
		}
	}
	return m.readTokenizer(c, int(keys.shape.vocabulary))
}

func (m *model) readTokenizer(c config, rows int) error {
	v, f, err := readVocabulary(m.dir)
	if err != nil {
		return err
	}
	if err := v.pad(rows); err != nil {
		return err
	}
	s, err := readSpecial(m.dir, c, v, f)
	if err != nil {
		return err
	}
	v.metadata(m.metadata)
	s.metadata(m.metadata)
	template, err := chatTemplate(m.dir, s.tokenizer)
	if template != "" {
		m.metadata["tokenizer.chat_template"] = template
	}
	return err
}

// write writes the file; it appears under its name when all of it is on disk.
func (m *model) write(ctx context.Context) error {
	f, err := renameio.NewPendingFile(m.converted.Path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }()
	if m.library != nil {
		err = m.library.write(ctx, f.File)
	} else {
		err = m.content(ctx, f)
	}
	if err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return merge.SyncDir(filepath.Dir(m.converted.Path))
}

// content writes header and tensors one after the other.
func (m *model) content(ctx context.Context, w io.Writer) (err error) {
	header, offsets, err := encode(m.metadata, m.tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = remedy.Errorf("replace the file", "%s: became shorter, or its disk failed, while it was read: %v", m.dir, fault)
		}
	}()
	at := int64(len(header))
	for i, t := range m.tensors {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, offsets[i]-at)); err != nil {
			return err
		}
		if err := t.write(w, m.from); err != nil {
			return err
		}
		at = offsets[i] + t.bytes()
	}
	_, err = w.Write(make([]byte, aligned(at)-at))
	return err
}
