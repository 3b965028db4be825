package study

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

func TestGPUModels(t *testing.T) {
	root := fstest.MapFS{
		"proc/driver/nvidia/gpus/0000:18:00.0/information": {Data: []byte("Model: \t\t NVIDIA H200\nIRQ:   \t\t 16\n")},
		"proc/driver/nvidia/gpus/0000:19:00.0/information": {Data: []byte("IRQ: 17\n")},
		"sys/class/drm/card0/device/product_name":          {Data: []byte("AMD Instinct MI300X\n")},
	}
	if got := gpuModels(root); !slices.Equal(got, []string{"NVIDIA H200", "AMD Instinct MI300X"}) {
		t.Errorf("%q", got)
	}
	if got := gpuModels(fstest.MapFS{}); len(got) > 0 {
		t.Errorf("none there: %q", got)
	}
}

// What nvidia-smi lists is believed; one that fails is none.
func TestGPUsBySMI(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if got := gpusBySMI(t.Context()); got != nil {
		t.Errorf("no program: %q", got)
	}
	for script, want := range map[string][]string{
		"#!/bin/sh\necho NVIDIA H200\necho NVIDIA H200\n": {"NVIDIA H200", "NVIDIA H200"},
		"#!/bin/sh\necho failed to initialize\nexit 9\n":  nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		if got := gpusBySMI(t.Context()); !slices.Equal(got, want) {
			t.Errorf("%q: %q", script, got)
		}
	}
}
