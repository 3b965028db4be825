//go:build !amd64 && !arm64

package kernel

// vectors returns the kernels in assembly: none for this processor.
func vectors() []variant { return nil }
