//go:build cgo

package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/ollama/ollama/convert"
)

// Converted is a checkpoint in the engine's format.
type Converted struct {
	Path    string              // the GGUF file
	Sources map[string][]string // GGUF tensor name to the checkpoint's tensor names
}

// formatVersion is part of a converted file's name: raise it when Convert
// writes something else for the same checkpoint.
const formatVersion = "v1"

// Convert writes the Hugging Face directory dir as a GGUF file into the folder
// cache, once for each digest (the checkpoint's content hash; "" is not looked
// up). BF16 and F16 matrices keep their dtype, F32 matrices become F16, vectors
// F32. But for F32 matrices the conversion moves values and never changes them,
// so a weighted average of converted checkpoints is the converted weighted
// average.
//
// What the converter would get wrong without a word is refused or mended
// first: see readConfig and checkTokenizer.
func Convert(ctx context.Context, dir, cache, digest string) (Converted, error) {
	source, err := overlay(dir)
	if err != nil {
		return Converted{}, err
	}
	c := Converted{Path: filepath.Join(cache, cacheName(dir, digest))}
	if c.Sources, err = tensorSources(source, dir); err != nil {
		return Converted{}, err
	}
	if _, ok := Cached(cache, digest); ok {
		return c, nil
	}
	if err := ctx.Err(); err != nil {
		return Converted{}, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Converted{}, err
	}
	return c, writeGGUF(source, dir, c.Path)
}

// Cached returns the file that Convert has written for a digest, if it has.
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

func writeGGUF(source fs.FS, dir, path string) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }()
	if err := convert.ConvertModel(source, f.File); err != nil {
		return fmt.Errorf("embedded engine: convert %s: %w", dir, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("embedded engine: convert %s: %w", dir, err)
	}
	return nil
}

// overlayFS shows a checkpoint directory with some files replaced.
type overlayFS struct {
	fs.FS
	replaced map[string][]byte
}

func (o overlayFS) Open(name string) (fs.File, error) {
	if b, ok := o.replaced[name]; ok {
		return &memoryFile{Reader: strings.NewReader(string(b)), name: name}, nil
	}
	return o.FS.Open(name)
}

// overlay returns dir as the converter must see it: config.json with the keys
// that it looks for, and a tokenizer that it knows.
func overlay(dir string) (fs.FS, error) {
	base := os.DirFS(dir)
	config, err := readConfig(base)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %s: %w", filepath.Join(dir, "config.json"), err)
	}
	if err := checkTokenizer(base); err != nil {
		return nil, fmt.Errorf("embedded engine: %s: %w", filepath.Join(dir, "tokenizer.json"), err)
	}
	replaced := map[string][]byte{"config.json": config}
	if t, err := fs.ReadFile(base, "chat_template.jinja"); err == nil {
		if replaced["tokenizer_config.json"], err = withTemplate(base, string(t)); err != nil {
			return nil, fmt.Errorf("embedded engine: %s: %w", filepath.Join(dir, "tokenizer_config.json"), err)
		}
	}
	return overlayFS{FS: base, replaced: replaced}, nil
}

// readConfig reads config.json and lifts rope_parameters, where transformers 5
// keeps rope_theta and the scaling, to the keys that the converter reads. The
// converter would use its default base frequency instead and say nothing.
func readConfig(dir fs.FS) ([]byte, error) {
	raw, err := fs.ReadFile(dir, "config.json")
	if err != nil {
		return nil, errors.New("cannot be read; a Hugging Face directory needs it")
	}
	var config map[string]json.RawMessage
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, err
	}
	rope, ok := config["rope_parameters"]
	if !ok || string(rope) == "null" {
		return raw, nil
	}
	var parameters map[string]json.RawMessage
	if err := json.Unmarshal(rope, &parameters); err != nil {
		return nil, fmt.Errorf("rope_parameters: %w", err)
	}
	theta, ok := parameters["rope_theta"]
	if !ok {
		return nil, errors.New("rope_parameters: no single rope_theta; this rope layout is not supported")
	}
	if _, set := config["rope_theta"]; !set {
		config["rope_theta"] = theta
	}
	if kind := string(parameters["rope_type"]); kind != "" && kind != `"default"` {
		config["rope_scaling"] = rope
	}
	return json.Marshal(config)
}

// knownSplits are the SHA-256 sums of the split patterns that the engine's
// tokenizer implements (convert/tokenizer.go of ollama v0.17.4), the empty one
// (byte-level, as GPT-2) included.
var knownSplits = map[string]bool{
	"d98f9631be1e9607a9848c26c1f9eac1aa9fc21ac6ba82a2fc0741af9780a48f": true,
	"03df5c5863ad70781dcfdef491ead25140f895fe8010964be0daefe27be32b02": true,
	"21cde974d587f0d54dc8d56b183cc1e6239600172035c68fbd6d4b9f8da0576e": true,
	"1ff7f41064896984db5d1bb6ff64fa4bc29007d08c1b439e505b7392777a319e": true,
	"00431aed57e696b747435f734d1e3b9b1bfd931a121fb5cac7129e97c181e9ba": true,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
}

// checkTokenizer refuses a pre-tokenizer that the converter would replace by
// its default, which gives other token ids and a wrong model.
func checkTokenizer(dir fs.FS) error {
	raw, err := fs.ReadFile(dir, "tokenizer.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a SentencePiece tokenizer.model has no pre-tokenizer
	}
	if err != nil {
		return err
	}
	var t struct {
		Pre struct {
			Parts []struct {
				Type    string `json:"type"`
				Pattern struct{ Regex string }
			} `json:"pretokenizers"`
		} `json:"pre_tokenizer"`
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	h := sha256.New()
	for _, p := range t.Pre.Parts {
		if p.Type == "Split" {
			h.Write([]byte(p.Pattern.Regex))
		}
	}
	if sum := hex.EncodeToString(h.Sum(nil)); !knownSplits[sum] {
		return fmt.Errorf("pre-tokenizer with a split pattern that the embedded engine does not know (sum %s); score it through another server", sum[:12])
	}
	return nil
}

// withTemplate returns tokenizer_config.json with the chat template that newer
// checkpoints keep in a file of its own.
func withTemplate(dir fs.FS, template string) ([]byte, error) {
	config := map[string]json.RawMessage{}
	if raw, err := fs.ReadFile(dir, "tokenizer_config.json"); err == nil {
		if err := json.Unmarshal(raw, &config); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	config["chat_template"] = text
	return json.Marshal(config)
}

// tensorSources maps the names that the converter gives to tensors back to the
// names in the checkpoint.
func tensorSources(source fs.FS, dir string) (map[string][]string, error) {
	kv, _, err := convert.LoadModelMetadata(source)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %s: %w", dir, err)
	}
	conv, ok := kv.(interface{ Replacements() []string })
	if !ok {
		return nil, fmt.Errorf("embedded engine: %s: architecture cannot be converted", dir)
	}
	names, err := tensorNames(source)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %s: %w", dir, err)
	}
	rename := strings.NewReplacer(conv.Replacements()...)
	sources := map[string][]string{}
	for _, n := range names {
		to := rename.Replace(n)
		sources[to] = append(sources[to], n)
	}
	return sources, nil
}
