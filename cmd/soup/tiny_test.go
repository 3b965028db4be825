package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// tinySize is the elements of a tiny checkpoint's only tensor.
const tinySize = 256

// tiny N DIR writes checkpoints DIR/step-1 to DIR/step-N: one float32 tensor,
// all elements of which are the step.
func tiny(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for step := 1; step <= n; step++ {
		dir := filepath.Join(ts.MkAbs(args[1]), fmt.Sprintf("step-%d", step))
		ts.Check(os.MkdirAll(dir, 0o755))
		header := fmt.Sprintf(`{"x":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, tinySize, 4*tinySize)
		raw := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		for range tinySize {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(step)))
		}
		ts.Check(os.WriteFile(filepath.Join(dir, "model.safetensors"), raw, 0o600))
	}
}

// near FILE X wants the elements of a tiny checkpoint's file to be X, to five
// digits.
func near(ts *testscript.TestScript, neg bool, args []string) {
	raw := []byte(ts.ReadFile(args[0]))
	want, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	if len(raw) < 4*tinySize {
		ts.Fatalf("%s has %d bytes", args[0], len(raw))
	}
	for i := range tinySize {
		at := len(raw) - 4*tinySize + 4*i
		got := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[at:])))
		if is := math.Abs(got-want) <= 1e-5*math.Abs(want); is == neg {
			ts.Fatalf("element %d of %s is %v, wanted %v (not: %t)", i, args[0], got, want, neg)
		}
	}
}
