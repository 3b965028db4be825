package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/x448/float16"
)

// example is a recipe of mergekit's examples folder
// (https://github.com/arcee-ai/mergekit/tree/main/examples), with the garden's
// checkpoints in place of its models, and what it means: the weight of each
// model in a tensor, worked out here once more, in the plainest way.
type example struct {
	name, text string
	models     []string
	rounded    func(sum float32) uint16
	weights    func(tensor string, values [][]float32) []float64
}

var examples = []example{
	{
		"linear.yml", `
models:
  - model: $GARDEN/finetune/arith
    parameters:
      weight: 1.0
  - model: $GARDEN/finetune/call
    parameters:
      weight: 0.3
  - model: $GARDEN/finetune/quiz
    parameters:
      weight: 0.5
merge_method: linear
dtype: float16
`,
		[]string{"arith", "call", "quiz"},
		toFloat16,
		func(string, [][]float32) []float64 { return []float64{1 / 1.8, 0.3 / 1.8, 0.5 / 1.8} },
	},
	{
		// The gradient of gradient-slerp.yml as weights of two models, in three
		// layers, where five numbers stand at 0, 1/4, 1/2, 3/4 and 1.
		"gradient linear", `
models:
  - model: $GARDEN/finetune/arith
    parameters:
      weight:
        - filter: self_attn
          value: [0, 0.5, 0.3, 0.7, 1]
        - filter: mlp
          value: [1, 0.5, 0.7, 0.3, 0]
        - value: 0.5
  - model: $GARDEN/finetune/call
    parameters:
      weight: [0.25, 0.75]
merge_method: linear
dtype: bfloat16
`,
		[]string{"arith", "call"},
		toBFloat16,
		func(tensor string, _ [][]float32) []float64 {
			a, b := gradientOf(tensor), []float64{0.25, 0.5, 0.75}[max(0, layerOf(tensor))]
			return []float64{a / (a + b), b / (a + b)}
		},
	},
	{
		"gradient-slerp.yml", `
slices:
  - sources:
      - model: $GARDEN/finetune/arith
        layer_range: [0, 3]
      - model: $GARDEN/finetune/call
        layer_range: [0, 3]
merge_method: slerp
base_model: $GARDEN/finetune/arith
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5 # fallback for rest of tensors
dtype: float16
`,
		[]string{"arith", "call"},
		toFloat16,
		func(tensor string, values [][]float32) []float64 {
			return arc(values[0], values[1], gradientOf(tensor))
		},
	},
}

// TestMergekitExamples carries recipes of mergekit out and compares every
// element with float32 sums, rounded once, that are made here without any of
// soup's own code.
func TestMergekitExamples(t *testing.T) {
	garden, err := filepath.Abs("../../examples/garden")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			dir := t.TempDir()
			recipe, out := filepath.Join(dir, "recipe.yml"), filepath.Join(dir, "out")
			if err := os.WriteFile(recipe, []byte(strings.ReplaceAll(e.text, "$GARDEN", garden)), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"merge", "-o", out, "--recipe", recipe}, &stdout, &stderr); code != 0 {
				t.Fatalf("exit code %d\n%s", code, &stderr)
			}
			var parents []map[string][]byte
			for _, m := range e.models {
				parents = append(parents, tensorsOf(t, filepath.Join(garden, "finetune", m)))
			}
			e.compare(t, tensorsOf(t, out), parents)
		})
	}
}

func (e example) compare(t *testing.T, got map[string][]byte, parents []map[string][]byte) {
	if len(got) != len(parents[0]) || len(got) != 30 {
		t.Fatalf("%d tensors of %d", len(got), len(parents[0]))
	}
	elements := 0
	for name, raw := range got {
		var values [][]float32
		for _, p := range parents {
			values = append(values, fromBFloat16(p[name]))
		}
		weights := e.weights(name, values)
		if len(raw) != 2*len(values[0]) {
			t.Fatalf("%s has %d bytes", name, len(raw))
		}
		for i := range values[0] {
			var sum float32
			for k, w := range weights {
				if w != 0 { // a parent without weight is left out
					sum += float32(float32(w) * values[k][i])
				}
			}
			if is, want := binary.LittleEndian.Uint16(raw[2*i:]), e.rounded(sum); is != want {
				t.Fatalf("%s, element %d: %#04x, want %#04x", name, i, is, want)
			}
			elements++
		}
	}
	if elements != 574336 {
		t.Errorf("%d elements were compared", elements)
	}
}

// tensorsOf reads a safetensors file: 8 bytes of header length, JSON, data.
func tensorsOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	var header map[string]struct {
		At [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	delete(header, "__metadata__")
	tensors := map[string][]byte{}
	for name, h := range header {
		tensors[name] = raw[8+n:][h.At[0]:h.At[1]]
	}
	return tensors
}

func fromBFloat16(raw []byte) []float32 {
	values := make([]float32, len(raw)/2)
	for i := range values {
		values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
	}
	return values
}

func toFloat16(x float32) uint16 { return uint16(float16.Fromfloat32(x)) }

// toBFloat16 rounds a finite number to the nearest, ties to even.
func toBFloat16(x float32) uint16 {
	bits := math.Float32bits(x)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

var layer = regexp.MustCompile(`\.layers\.(\d+)\.`)

// layerOf returns a tensor's layer, or -1.
func layerOf(tensor string) int {
	m := layer.FindStringSubmatch(tensor)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// gradientOf is the gradient of gradient-slerp.yml at three layers, which are
// at 0, 1/2 and 1 of it.
func gradientOf(tensor string) float64 {
	switch {
	case strings.Contains(tensor, "self_attn"):
		return []float64{0, 0.3, 1}[layerOf(tensor)]
	case strings.Contains(tensor, "mlp"):
		return []float64{1, 0.7, 0}[layerOf(tensor)]
	}
	return 0.5
}

// arc returns the weights of two tensors at t on the arc between them; where
// they are nearly parallel, on the line.
func arc(a, b []float32, t float64) []float64 {
	var aa, ab, bb float64
	for i := range a {
		aa += float64(a[i]) * float64(a[i])
		ab += float64(a[i]) * float64(b[i])
		bb += float64(b[i]) * float64(b[i])
	}
	cosine := ab / math.Sqrt(aa) / math.Sqrt(bb)
	if cosine > 0.9995 {
		return []float64{1 - t, t}
	}
	angle := math.Acos(cosine)
	return []float64{math.Sin((1-t)*angle) / math.Sin(angle), math.Sin(t*angle) / math.Sin(angle)}
}
