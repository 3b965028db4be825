package merge

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reside asks the kernel where a window's bytes are.
func reside(w window) residency {
	f, err := os.Open(w.file.path)
	if err != nil {
		return unknown
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !os.SameFile(info, w.file.info) {
		return unknown
	}
	if inHole(f, w) {
		return hole
	}
	if w.file.data == nil || !maySee(w.file.path, info) {
		return unknown
	}
	return inMemory(w.file.data[w.begin:w.end])
}

// inHole says whether a window holds no data at all. File systems without
// holes say that all is data.
func inHole(f *os.File, w window) bool {
	at, err := unix.Seek(int(f.Fd()), w.begin, unix.SEEK_DATA)
	return errors.Is(err, unix.ENXIO) || err == nil && at >= w.end
}

// maySee says whether the kernel tells the truth: since Linux 5.2 mincore
// calls all of a file present unless it is one's own or one may write it
// (mincore(2), commit 134fca9063ad).
func maySee(path string, info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid() || unix.Access(path, unix.W_OK) == nil
}

// inMemory asks for the pages of a mapped, page-aligned slice.
func inMemory(data []byte) residency {
	page := os.Getpagesize()
	pages := make([]byte, (len(data)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), uintptr(unsafe.Pointer(unsafe.SliceData(pages))))
	if errno != 0 {
		return unknown
	}
	present := 0
	for _, p := range pages {
		present += int(p & 1)
	}
	if 2*present > len(pages) {
		return cached
	}
	return uncached
}

// announce lets the kernel read a mapped window ahead, as it does for whoever
// reads a file from end to end. Advice that is refused changes nothing.
func (w *window) announce() {
	if w.file.data != nil {
		_ = unix.Madvise(w.file.data[w.begin:w.end], unix.MADV_WILLNEED)
	}
}
