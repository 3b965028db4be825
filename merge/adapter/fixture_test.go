package adapter

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"soup/merge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// garden is where the repository keeps small real checkpoints.
const garden = "../../examples/garden/"

// fake is a tensor of a fixture.
type fake struct {
	name   string
	dtype  merge.DType
	shape  []int64
	values []float32
}

// noise returns a tensor of normal values.
func noise(name string, d merge.DType, seed uint64, shape ...int64) fake {
	r := rand.New(rand.NewPCG(seed, 5))
	n := int64(1)
	for _, s := range shape {
		n *= s
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64() * 0.1)
		if d == merge.BF16 {
			values[i] = math.Float32frombits(math.Float32bits(values[i]) &^ 0xffff)
		}
	}
	return fake{name, d, shape, values}
}

func (f fake) bytes() (b []byte) {
	for _, x := range f.values {
		switch bits := math.Float32bits(x); f.dtype {
		case merge.BF16:
			b = binary.LittleEndian.AppendUint16(b, uint16(bits>>16)) // exact values only
		case merge.U8:
			b = append(b, byte(x))
		default:
			b = binary.LittleEndian.AppendUint32(b, bits)
		}
	}
	return b
}

// safetensors writes tensors as one file.
func safetensors(t testing.TB, path string, tensors ...fake) {
	t.Helper()
	header, data := map[string]any{}, []byte(nil)
	for _, f := range tensors {
		begin := len(data)
		data = append(data, f.bytes()...)
		header[f.name] = map[string]any{"dtype": f.dtype.String(), "shape": f.shape, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...))
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// options are entries of adapter_config.json.
type options map[string]any

// directory writes an adapter; more replaces or (with nil) drops options.
func directory(t testing.TB, more options, tensors ...fake) string {
	t.Helper()
	dir := t.TempDir()
	all := options{
		"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 2, "lora_alpha": 4, "target_modules": []string{"q"},
		"task_type": "CAUSAL_LM", "bias": "none",
	}
	maps.Copy(all, more)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, configName), text)
	safetensors(t, filepath.Join(dir, weightsName), tensors...)
	return dir
}

// pair returns A and B of a module.
func pair(module string, seed uint64, in, out, rank int64) []fake {
	return []fake{noise(tensorA(module), merge.F32, seed, rank, in), noise(tensorB(module), merge.F32, seed+1, out, rank)}
}

// small is an adapter of rank 2 that changes one module, l.0.q, from 6 to 5.
func small(t testing.TB, seed uint64, more options) *Adapter {
	t.Helper()
	return open(t, directory(t, more, pair("l.0.q", seed, 6, 5, 2)...))
}

// smallBase is a base that small fits.
func smallBase(t testing.TB, d merge.DType, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"config.json": `{"model_type":"llama","torch_dtype":"bfloat16"}`}
	maps.Copy(all, files)
	for name, text := range all {
		write(t, filepath.Join(dir, name), []byte(text))
	}
	safetensors(t, filepath.Join(dir, "model.safetensors"), noise("l.0.norm.weight", d, 90, 6), noise("l.0.q.weight", d, 91, 5, 6))
	return dir
}

func open(t testing.TB, dir string) *Adapter {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func openBase(t testing.TB, path string) *merge.Checkpoint {
	t.Helper()
	c, err := merge.OpenWith(path, merge.OpenOptions{Unmapped: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// values reads a tensor.
func values(t testing.TB, c *merge.Checkpoint, name string) ([]float32, merge.Tensor) {
	t.Helper()
	of, ok := c.Tensor(name)
	data, err := c.Bytes(name)
	if err != nil || !ok {
		t.Fatalf("%s: %v", name, err)
	}
	return floats(data, of.DType), of
}

func product(w, s, b, a float64) float64 { return w * s * b * a }

func absolute(w, s, b, a float64) float64 { return math.Abs(w * s * b * a) }

// change is an adapter's s*B*A of a module, [out][in] in float64; all zeros where
// the adapter has no such module.
func change(t testing.TB, a *Adapter, m Module, term func(w, s, b, a float64) float64) []float64 {
	return weighted(t, a, m, 1, term)
}

func weighted(t testing.TB, a *Adapter, m Module, w float64, term func(w, s, b, a float64) float64) []float64 {
	t.Helper()
	sum := make([]float64, m.In*m.Out)
	own, ok := a.Module(m.Name)
	if !ok {
		return sum
	}
	down, _ := values(t, a.weights, tensorA(m.Name))
	up, _ := values(t, a.weights, tensorB(m.Name))
	for i := range own.Out {
		for k := range own.Rank {
			for j := range own.In {
				sum[i*own.In+j] += term(w, own.Scale, float64(up[i*own.Rank+k]), float64(down[k*own.In+j]))
			}
		}
	}
	return sum
}

// changes is the weighted sum, by module.
func changes(t testing.TB, adapters []*Adapter, weights []float64, term func(w, s, b, a float64) float64) map[string][]float64 {
	t.Helper()
	all := map[string][]float64{}
	for k, a := range adapters {
		for _, m := range a.Modules() {
			sum := all[m.Name]
			if sum == nil {
				sum = make([]float64, m.In*m.Out)
			}
			for i, x := range weighted(t, a, m, weights[k], term) {
				sum[i] += x
			}
			all[m.Name] = sum
		}
	}
	return all
}

// distance is the largest difference, as a share of the largest value.
func distance(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var far, large float64
	for i, x := range want {
		far, large = max(far, math.Abs(got[i]-x)), max(large, math.Abs(x))
	}
	if math.IsNaN(far) {
		return math.Inf(1)
	}
	return far / max(large, 1e-30)
}

func wide(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, x := range values {
		out[i] = float64(x)
	}
	return out
}

// codes lists the findings as "severity code".
func codes(found merge.Findings) (list []string) {
	for _, f := range found {
		list = append(list, f.Severity+" "+f.Code)
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// check is Check without an error.
func check(t testing.TB, adapters ...*Adapter) merge.Findings {
	t.Helper()
	found, err := Check(t.Context(), adapters)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantFinding fails unless there is a finding of that severity and code whose
// message holds says, and every refusal has a remedy.
func wantFinding(t testing.TB, found merge.Findings, severity, code, says string) {
	t.Helper()
	hit := false
	for _, f := range found {
		hit = hit || f.Severity == severity && f.Code == code && strings.Contains(f.Message, says)
		if f.Severity == merge.Refuse && f.Remedy == "" || strings.Contains(fmt.Sprint(f.Message, f.Remedy), "\n") {
			t.Errorf("%+v: no remedy, or more than one line", f)
		}
	}
	if !hit {
		t.Errorf("no finding %s %s with %q in %v", severity, code, says, found)
	}
}

// wantError fails unless err is one line that holds every part.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range append(parts, "") {
		if !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, p)
		}
	}
}

// hint returns an error's remedy.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
