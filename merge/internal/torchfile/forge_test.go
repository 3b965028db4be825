package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// The pieces of forged pickles, as text of opcodes.

const ordered = "ccollections\nOrderedDict\n)R"

// text is BINUNICODE.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// number is LONG1.
func number(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func numbers(list ...int64) string {
	var b strings.Builder
	for _, n := range list {
		b.WriteString(number(n))
	}
	return "(" + b.String() + "t"
}

// stored is a storage's persistent id.
func stored(class, key string, elements int64) string {
	return "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(elements) + "tQ"
}

// built is _rebuild_tensor_v2 of sizes and strides.
func built(storage string, offset int64, sizes, strides string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + sizes + strides + "\x89" + ordered + "tR"
}

// floats is a vector of n floats in record data/0, from an offset on.
func floats(offset, n int64) string {
	return built(stored("FloatStorage", "0", 16), offset, numbers(n), numbers(1))
}

// dict is a whole pickle: the names alternate with their values' opcodes.
func dict(entries ...string) string {
	var b strings.Builder
	b.WriteString("\x80\x02}(")
	for i := 0; i < len(entries); i += 2 {
		b.WriteString(text(entries[i]) + entries[i+1])
	}
	return b.String() + "u."
}

// record is a file of a forged archive.
type record struct {
	name    string
	data    []byte
	deflate bool
}

// pack makes a zip archive with 64 bytes of storage in data/0.
func pack(t testing.TB, pickle string, more ...record) []byte {
	t.Helper()
	return packed(t, append([]record{{name: "x/data.pkl", data: []byte(pickle)}, {name: "x/data/0", data: make([]byte, 64)}}, more...)...)
}

func packed(t testing.TB, records ...record) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, r := range records {
		h := &zip.FileHeader{Name: r.name, Method: zip.Store}
		if r.deflate {
			h.Method = zip.Deflate
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write(r.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
