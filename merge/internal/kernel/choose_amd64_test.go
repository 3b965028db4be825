package kernel

import (
	"testing"

	"golang.org/x/sys/cpu"
)

// TestProcessorDecides: a kernel is offered only where its instructions are.
func TestProcessorDecides(t *testing.T) {
	old := cpu.X86
	defer func() { cpu.X86 = old }()
	for _, c := range []struct {
		avx512, avx2, f16c bool
		want               int
	}{{true, true, true, 2}, {false, true, true, 1}, {false, true, false, 0}, {false, false, true, 0}, {true, false, false, 1}} {
		cpu.X86.HasAVX512F, cpu.X86.HasAVX2, cpu.X86.HasF16C = c.avx512, c.avx2, c.f16c
		if got := vectors(); len(got) != c.want {
			t.Errorf("%+v: %d kernels", c, len(got))
		}
	}
}
