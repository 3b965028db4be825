package adapter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"soup/merge"
	"soup/merge/internal/remedy"
)

// Adapter is an opened PEFT directory: its configuration, and the names and
// shapes of its tensors. Its methods may be called concurrently, Close excepted.
type Adapter struct {
	dir     string
	config  config
	weights *merge.Checkpoint
	modules []Module
	index   map[string]int
	found   merge.Findings // what Check says of this adapter alone
}

// Module is one weight matrix that an adapter changes.
type Module struct {
	Name    string  // as the base has it, without ".weight"
	In, Out int64   // the matrix maps In values to Out
	Rank    int64   // rows of A
	Scale   float64 // s of the package documentation
}

// IsAdapter says whether a path is a directory with an adapter_config.json.
func IsAdapter(path string) bool {
	info, err := os.Stat(filepath.Join(path, configName))
	return err == nil && info.Mode().IsRegular()
}

// WeightsOf returns the path of an adapter's weights file; of any other path
// the path itself.
func WeightsOf(path string) string {
	if IsAdapter(path) {
		return filepath.Join(path, weightsName)
	}
	return path
}

// Open opens a PEFT directory: adapter_config.json and
// adapter_model.safetensors. Of the weights only the header is read; the file
// stays open until Close. Errors name the file and what to do. What makes an
// adapter unfit for a soup is not an error here but a finding of [Check].
func Open(dir string) (*Adapter, error) {
	for _, name := range []string{configName, weightsName} {
		if err := present(dir, name); err != nil {
			return nil, err
		}
	}
	c, err := readConfig(filepath.Join(dir, configName))
	if err != nil {
		return nil, err
	}
	// Not mapped: adapters are small, and each tensor is read once.
	weights, err := merge.OpenWith(filepath.Join(dir, weightsName), merge.OpenOptions{Unmapped: true})
	if err != nil {
		return nil, err
	}
	a := &Adapter{dir: dir, config: c, weights: weights, index: map[string]int{}}
	a.inspectConfig()
	a.inspectTensors()
	slices.SortStableFunc(a.modules, func(x, y Module) int { return strings.Compare(x.Name, y.Name) })
	for i, m := range a.modules {
		a.index[m.Name] = i
	}
	return a, nil
}

// present says what is wrong with one of the two files.
func present(dir, name string) error {
	path := filepath.Join(dir, name)
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return inside(dir, path)
	case !errors.Is(err, os.ErrNotExist):
		return remedy.Opening(path, err)
	case name == weightsName && exists(dir, "adapter_model.bin"):
		return remedy.Errorf("save the adapter again with safe_serialization=True", "%s: no %s in this directory, only pickled weights, which are not read", dir, name)
	case exists(dir, ""):
		return remedy.Errorf("give the directory of a PEFT adapter", "%s: no %s in this directory", dir, name)
	}
	return remedy.Opening(dir, err)
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// inside refuses a file whose symbolic links lead out of the directory, as
// package merge does; the blobs folder of a Hugging Face cache is allowed.
func inside(dir, path string) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return remedy.Opening(dir, err)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return remedy.Opening(path, err)
	}
	roots := []string{root}
	if snapshots := filepath.Dir(root); filepath.Base(snapshots) == "snapshots" {
		roots = append(roots, filepath.Join(filepath.Dir(snapshots), "blobs"))
	}
	for _, r := range roots {
		if rel, err := filepath.Rel(r, real); err == nil && filepath.IsLocal(rel) {
			return nil
		}
	}
	return remedy.Errorf("copy the file into the directory if you trust it", "%s: a symbolic link that leads out of the adapter's directory", path)
}

// Close closes the weights.
func (a *Adapter) Close() error { return a.weights.Close() }

// Path returns the directory that was opened.
func (a *Adapter) Path() string { return a.dir }

// Base returns base_model_name_or_path; "" where the configuration has none.
func (a *Adapter) Base() string { return a.config.base }

// Modules returns what the adapter changes, by name.
func (a *Adapter) Modules() []Module { return slices.Clone(a.modules) }

// Module returns one of them.
func (a *Adapter) Module(name string) (Module, bool) {
	i, ok := a.index[name]
	if !ok {
		return Module{}, false
	}
	return a.modules[i], true
}

// Bytes returns the size of its tensors.
func (a *Adapter) Bytes() int64 { return size(a.weights) }

// Scan reads the weights and returns a finding for each tensor with NaN or
// infinity.
func (a *Adapter) Scan(ctx context.Context) (merge.Findings, error) {
	return merge.Scan(ctx, a.weights)
}

// Hash returns the sha256, in hex, of the adapter's content: of the lines
// "adapter_config.json SIZE SHA256\n" and "adapter_model HASH\n", where HASH is
// [merge.Checkpoint.Hash] of the weights. The configuration belongs to it
// because lora_alpha does. The weights are read.
func (a *Adapter) Hash(ctx context.Context) (string, error) {
	hash, err := a.weights.Hash(ctx)
	if err != nil {
		return "", err
	}
	return sum(fmt.Appendf(nil, "%s %d %s\nadapter_model %s\n", configName, a.config.size, a.config.sha256, hash)), nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// prefix stands before the names of the base's modules in PEFT's files.
const prefix = "base_model.model."

// moduleOf returns the module that a weight of the base belongs to.
func moduleOf(tensor string) (module string, ok bool) { return strings.CutSuffix(tensor, ".weight") }

func tensorA(module string) string { return prefix + module + ".lora_A.weight" }
func tensorB(module string) string { return prefix + module + ".lora_B.weight" }

var matrixName = regexp.MustCompile(`^base_model\.model\.(.+)\.lora_([AB])\.weight$`)

// inspectTensors pairs A with B and notes what is neither.
func (a *Adapter) inspectTensors() {
	var alone, others []string
	before := len(a.found)
	for _, t := range a.weights.Tensors() {
		parts := matrixName.FindStringSubmatch(t.Name)
		if parts == nil {
			others = append(others, t.Name)
			continue
		}
		_, hasA := a.weights.Tensor(tensorA(parts[1]))
		b, hasB := a.weights.Tensor(tensorB(parts[1]))
		switch {
		case !hasA || !hasB:
			alone = append(alone, t.Name)
		case parts[2] == "A":
			a.addModule(parts[1], t, b)
		}
	}
	a.foreign(others)
	a.refuseEach("tensor-names", alone, "download or save the adapter again", func(t string) string {
		return fmt.Sprintf("tensor %s has no counterpart", t)
	})
	if len(a.modules) == 0 && len(a.found) == before {
		a.refuse("tensor-names", "", "give a LoRA adapter", "no lora_A and lora_B in %s", weightsName)
	}
}

// addModule checks the shapes of A and B against each other and the rank.
func (a *Adapter) addModule(name string, down, up merge.Tensor) {
	for _, t := range []merge.Tensor{down, up} {
		if !t.DType.Averageable() {
			a.refuse("dtype", t.Name, "save the adapter as float32, float16 or bfloat16", "tensor %s is %s", t.Name, t.Stored)
			return
		}
		if len(t.Shape) != 2 || t.Shape[0] == 0 || t.Shape[1] == 0 {
			a.refuse("shape", t.Name, "only adapters of linear layers are read: merge it into its base with PEFT", "tensor %s has shape %v, which is not that of a matrix", t.Name, t.Shape)
			return
		}
	}
	m := Module{Name: name, In: down.Shape[1], Out: up.Shape[0], Rank: down.Shape[0]}
	if up.Shape[1] != m.Rank {
		a.refuse("shape", up.Name, "download or save the adapter again", "tensor %s has shape %v, but %s has %v", up.Name, up.Shape, down.Name, down.Shape)
		return
	}
	if r := a.config.ranks.of(name, float64(a.config.rank)); r != float64(m.Rank) && len(a.config.ranks.broken) == 0 {
		a.refuse("rank", down.Name, "give the configuration that belongs to the weights", "tensor %s has %d rows, but %s says r = %v", down.Name, m.Rank, configName, r)
		return
	}
	alpha := a.config.alphas.of(name, a.config.alpha)
	m.Scale = alpha / float64(m.Rank)
	if a.config.rsLoRA {
		m.Scale = alpha / math.Sqrt(float64(m.Rank))
	}
	a.modules = append(a.modules, m)
}
