// Package gguf reads what drivers of servers need of a GGUF file's header: what
// a prompt is rendered with, and whether another file has the same header.
//
// Start with Read.
package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	gguf "github.com/gpustack/gguf-parser-go"
)

// Header is what stands before the tensors of a file.
type Header struct {
	Architecture string
	Context      int    // tokens that the model was trained to read at once; 0 if the file does not say
	ChatTemplate string // Jinja source; "" if there is none
	BOS, EOS     string // texts of the tokens that begin and end a text; "" if there are none
	// Prefixed says that the tokenizer puts a blank before every text (the
	// SentencePiece of llama; gemma's does not).
	Prefixed bool

	raw   []byte // all of it
	size  int64  // of the file
	words map[string]bool
}

// Read reads the header of a file.
func Read(path string) (*Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: a directory; convert it to GGUF first", path)
	}
	h, err := read(f, path, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

func read(f *os.File, path string, size int64) (*Header, error) {
	parsed, err := parse(path)
	if err != nil {
		return nil, err
	}
	start := parsed.TensorDataStartOffset
	if start < 24 || start > size {
		return nil, fmt.Errorf("the header ends at byte %d, but the file holds %d: truncated", start, size)
	}
	h := &Header{raw: make([]byte, start), size: size}
	if _, err := io.ReadFull(f, h.raw); err != nil {
		return nil, err
	}
	return h, h.readKeys(parsed.Header.MetadataKV)
}

// parse calls the library, which panics on some malformed headers.
func parse(path string) (f *gguf.GGUFFile, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("malformed header: %v", fault)
		}
	}()
	return gguf.ParseGGUFFile(path, gguf.SkipLargeMetadata())
}

func (h *Header) readKeys(kvs gguf.GGUFMetadataKVs) error {
	text := func(key string) string {
		s, _ := value(kvs, key).(string)
		return s
	}
	h.Architecture = text("general.architecture")
	h.ChatTemplate = text("tokenizer.chat_template")
	h.Context = int(number(value(kvs, h.Architecture+".context_length")))
	tokens, err := h.strings(value(kvs, "tokenizer.ggml.tokens"))
	if err != nil {
		return fmt.Errorf("tokenizer.ggml.tokens: %w", err)
	}
	special := func(key string) string {
		id := value(kvs, key)
		if id == nil || number(id) >= uint64(len(tokens)) {
			return ""
		}
		return tokens[number(id)]
	}
	h.BOS, h.EOS = special("tokenizer.ggml.bos_token_id"), special("tokenizer.ggml.eos_token_id")
	h.keepWords(tokens, text("tokenizer.ggml.model"), value(kvs, "tokenizer.ggml.add_space_prefix"))
	return nil
}

// value is a key's value; nil if it is not there.
func value(kvs gguf.GGUFMetadataKVs, key string) any {
	kv, ok := kvs.Get(key)
	if !ok {
		return nil
	}
	return kv.Value
}

// number reads integers of every width; 0 if v is none.
func number(v any) uint64 {
	switch n := v.(type) {
	case uint8:
		return uint64(n)
	case uint16:
		return uint64(n)
	case uint32:
		return uint64(n)
	case uint64:
		return n
	case int32:
		return uint64(max(n, 0))
	case int64:
		return uint64(max(n, 0))
	}
	return 0
}

// strings reads an array of strings, which the library leaves in the header:
// type, length, then items with their length, all little-endian.
func (h *Header) strings(v any) ([]string, error) {
	array, ok := v.(gguf.GGUFMetadataKVArrayValue)
	if !ok {
		return nil, errors.New("there is no such array")
	}
	begin, end := array.StartOffset, array.StartOffset+12+array.Size
	if begin < 0 || end < begin || end > int64(len(h.raw)) {
		return nil, errors.New("the array goes beyond the header")
	}
	rest := h.raw[begin:end]
	if binary.LittleEndian.Uint32(rest) != uint32(gguf.GGUFMetadataValueTypeString) {
		return nil, errors.New("the array is not one of strings")
	}
	var items []string
	for rest = rest[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, errCutOff
		}
		n := binary.LittleEndian.Uint64(rest)
		if rest = rest[8:]; n > uint64(len(rest)) {
			return nil, errCutOff
		}
		items, rest = append(items, string(rest[:n])), rest[n:]
	}
	return items, nil
}

var errCutOff = errors.New("the array is cut off")

// Fits says whether a file has this header and this size: then only numbers of
// tensors can differ.
func (h *Header) Fits(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != h.size {
		return false, err
	}
	other := make([]byte, len(h.raw))
	if _, err := io.ReadFull(f, other); err != nil {
		return false, err
	}
	return bytes.Equal(other, h.raw), nil
}

// keepWords remembers the texts of all tokens, as a reader sees them.
func (h *Header) keepWords(tokens []string, model string, prefix any) {
	h.words = make(map[string]bool, len(tokens))
	decode := func(s string) string { return s }
	switch model {
	case "gpt2":
		decode = fromByteLevel
	case "llama":
		asked, said := prefix.(bool)
		h.Prefixed = asked || !said && !strings.HasPrefix(h.Architecture, "gemma")
		decode = func(s string) string { return strings.ReplaceAll(s, "\u2581", " ") }
	}
	for _, t := range tokens {
		h.words[decode(t)] = true
	}
}

// HasToken says whether a text is one token of the vocabulary.
func (h *Header) HasToken(text string) bool { return h.words[text] }

// fromByteLevel undoes the alphabet in which byte-level tokenizers write bytes:
// printable ones of Latin-1 stand for themselves, the others are counted from
// U+0100 (GPT-2's bytes_to_unicode).
func fromByteLevel(s string) string {
	var out []byte
	for _, r := range s {
		b, known := byteOf[r]
		if !known {
			return s // a special token, written as it is
		}
		out = append(out, b)
	}
	return string(out)
}

var byteOf = byteLevel()

func byteLevel() map[rune]byte {
	of := map[rune]byte{}
	others := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if printable := b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae; !printable {
			r = others
			others++
		}
		of[r] = byte(b)
	}
	return of
}
