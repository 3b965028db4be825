package study

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"
)

// gpuPatience is how long nvidia-smi may take, which hangs where a driver does.
const gpuPatience = 3 * time.Second

// gpus names the GPUs that this process may use, for people: "NVIDIA H200", "8 x
// NVIDIA H200", the first where they differ; "" where none is found.
func gpus(ctx context.Context) string {
	models := gpuModels(os.DirFS("/"))
	if len(models) == 0 {
		models = gpusBySMI(ctx)
	}
	if given, ok := os.LookupEnv("CUDA_VISIBLE_DEVICES"); ok && given != "" {
		models = models[:min(len(models), 1+strings.Count(given, ","))]
	}
	switch len(models) {
	case 0:
		return ""
	case 1:
		return models[0]
	}
	return fmt.Sprintf("%d x %s", len(models), models[0])
}

// gpuModels is what NVIDIA's driver says in /proc, and that for AMD's in /sys.
func gpuModels(root fs.FS) (models []string) {
	files, _ := fs.Glob(root, "proc/driver/nvidia/gpus/*/information")
	for _, f := range files {
		raw, _ := fs.ReadFile(root, f)
		_, rest, _ := strings.Cut(string(raw), "Model:")
		if name, _, _ := strings.Cut(strings.TrimSpace(rest), "\n"); name != "" {
			models = append(models, name)
		}
	}
	files, _ = fs.Glob(root, "sys/class/drm/card*/device/product_name")
	for _, f := range files {
		if raw, err := fs.ReadFile(root, f); err == nil && strings.TrimSpace(string(raw)) != "" {
			models = append(models, strings.TrimSpace(string(raw)))
		}
	}
	return models
}

// gpusBySMI asks nvidia-smi, where there is one: under WSL it alone knows.
func gpusBySMI(ctx context.Context) (models []string) {
	within, cancel := context.WithTimeout(ctx, gpuPatience)
	defer cancel()
	cmd := exec.CommandContext(within, "nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); name != "" {
			models = append(models, name)
		}
	}
	return models
}
