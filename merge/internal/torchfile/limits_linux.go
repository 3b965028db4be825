package torchfile

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// executable names this program such that it is found even when its file was
// replaced or removed since it started.
func executable() (string, error) { return "/proc/self/exe", nil }

// spareMemory is what a child may take between two looks of watch, and what it
// has mapped without using it, of which watch takes no account.
const spareMemory = 96 << 20

// limit bounds this process. RLIMIT_AS does not suit: the runtime reserves
// hundreds of MB of addresses that it never touches. RLIMIT_DATA counts what is
// mapped privately and writable (setrlimit(2), since Linux 4.7), to which the
// Go heap adds 4 MB at a time; what the program has at this point, threads'
// stacks and a race detector's shadow among it, is left out of account.
func limit() error {
	data := uint64(maxMemory+spareMemory) + dataSize()
	for _, l := range []struct {
		what     int
		soft, at uint64
	}{
		{unix.RLIMIT_DATA, data, data},
		{unix.RLIMIT_CPU, maxProcessor, maxProcessor + 1},
		{unix.RLIMIT_FSIZE, 0, 0},
		{unix.RLIMIT_NOFILE, 0, 0}, // what is open stays open
		{unix.RLIMIT_CORE, 0, 0},
	} {
		if err := lower(l.what, l.soft, l.at); err != nil {
			return fmt.Errorf("limit %d cannot be set: %w", l.what, err)
		}
	}
	return nil
}

// lower sets a limit unless a stricter one is set already.
func lower(what int, soft, hard uint64) error {
	var old unix.Rlimit
	if err := unix.Getrlimit(what, &old); err != nil {
		return err
	}
	return unix.Setrlimit(what, &unix.Rlimit{Cur: min(soft, old.Cur), Max: min(hard, old.Max)})
}

// dataSize returns VmData of proc_pid_status(5), in bytes; 0 if it is not told.
func dataSize() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kb uint64
	if _, rest, ok := strings.Cut(string(status), "\nVmData:"); ok {
		_, _ = fmt.Sscan(rest, &kb) // stays 0
	}
	return kb << 10
}
