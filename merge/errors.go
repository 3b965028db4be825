package merge

import (
	"runtime"
	"runtime/debug"
	"unsafe"

	"soup/merge/internal/remedy"
)

// guarded runs fn, which reads mapped weights, and turns the fault that a file
// gives when it was truncated (or its disk failed) under its mapping into an
// error naming the file. Other panics go on.
func guarded(files []*mapping, fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if fault := recover(); fault != nil {
			err = faultError(files, fault)
		}
	}()
	return fn()
}

// faultError names the file whose mapping faulted.
func faultError(files []*mapping, fault any) error {
	at, ok := fault.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		panic(fault)
	}
	for _, f := range files {
		if f.holds(at.Addr()) {
			return remedy.Errorf("replace the file", "%s: became shorter, or its disk failed, while it was mapped", f.path)
		}
	}
	panic(fault)
}

// holds says whether an address lies in the mapping.
func (m *mapping) holds(addr uintptr) bool {
	if len(m.data) == 0 {
		return false
	}
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))
	return addr >= begin && addr-begin < uintptr(len(m.data))
}
