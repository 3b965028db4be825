package method

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"soup/merge"
)

// garden is where the repository keeps small real checkpoints.
const garden = "../../examples/garden/"

func open(t testing.TB, path string) *merge.Checkpoint {
	t.Helper()
	c, err := merge.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func openGarden(t testing.TB, names ...string) Input {
	in := Input{}
	for _, n := range names {
		in.Parents, in.Names = append(in.Parents, open(t, garden+n)), append(in.Names, filepath.Base(n))
	}
	return in
}

// fake is a tensor of a fixture. Values of I64 are whole.
type fake struct {
	name   string
	dtype  merge.DType
	shape  []int64
	values []float64
}

func vector(name string, d merge.DType, values ...float64) fake {
	return fake{name, d, []int64{int64(len(values))}, values}
}

func (f fake) bytes() []byte {
	var b []byte
	for _, x := range f.values {
		bits := math.Float32bits(float32(x))
		switch f.dtype {
		case merge.BF16:
			b = binary.LittleEndian.AppendUint16(b, uint16(bits>>16)) // exact values only
		case merge.I64:
			b = binary.LittleEndian.AppendUint64(b, uint64(int64(x)))
		default:
			b = binary.LittleEndian.AppendUint32(b, bits)
		}
	}
	return b
}

// file writes tensors as one .safetensors file.
func file(t testing.TB, tensors ...fake) string {
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
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	all := append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...)
	if err := os.WriteFile(path, all, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// inputs opens one fixture a list of tensors.
func inputs(t testing.TB, parents ...[]fake) Input {
	in := Input{}
	for i, p := range parents {
		in.Parents, in.Names = append(in.Parents, open(t, file(t, p...))), append(in.Names, fmt.Sprint(i))
	}
	return in
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }
