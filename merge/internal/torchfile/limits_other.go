//go:build !linux

package torchfile

import "os"

func executable() (string, error) { return os.Executable() }

// limit leaves all to watch: other systems do not hold a process to a limit of
// memory that suits the Go runtime. Processor time is bounded by the wall-clock
// time.
func limit() error { return nil }
