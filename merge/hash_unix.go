//go:build unix

package merge

import (
	"os"
	"syscall"
)

// inode returns a file's number on its disk.
func inode(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
