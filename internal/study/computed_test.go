package study

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
	"soup/merge/convert/picotest"
)

// Factors of rope that are computed from the configuration are not averaged: a
// sum of equal numbers is not always that number.
func TestComputedTensorsCommute(t *testing.T) {
	a, b := picotest.DirAs(t, "llama", merge.BF16), picotest.DirAs(t, "llama", merge.BF16)
	for _, extra := range []string{"", "groups: {layers: 2}\n"} {
		c := &Config{File: filepath.Join(t.TempDir(), "x.yaml")}
		text := "parents: [{name: a, path: " + a + "}, {name: b, path: " + b + "}]\n" + extra
		if err := parseInto(c, text); err != nil {
			t.Fatal(err)
		}
		p, buffer := testPantry(t, c)
		if p.lossy {
			t.Error("averaging is said to lose something")
		}
		rapid.Check(t, func(r *rapid.T) { commutes(r, t, p, buffer) })
	}
}

// Norms of Gemma are stored less one: what is measured is not rounded there.
func TestShiftedTensorsAreLossy(t *testing.T) {
	dir := picotest.DirAs(t, "gemma2", merge.BF16)
	c := &Config{File: filepath.Join(t.TempDir(), "x.yaml")}
	if err := parseInto(c, "parents: [{name: a, path: "+dir+"}, {name: b, path: "+picotest.DirAs(t, "gemma2", merge.BF16)+"}]\n"); err != nil {
		t.Fatal(err)
	}
	p, _ := testPantry(t, c)
	if !p.lossy || p.round("output_norm.weight") != merge.AsStored || p.round("token_embd.weight") != merge.BF16 {
		t.Errorf("lossy %t, norms rounded to %q", p.lossy, p.round("output_norm.weight"))
	}
}
