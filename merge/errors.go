package merge

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"unsafe"
)

// hinted is an error that knows what to do about it. Callers find the remedy
// with errors.As and interface{ Hint() string }.
type hinted struct {
	error
	hint string
}

// Hint returns the remedy, one line.
func (h *hinted) Hint() string { return h.hint }

// Unwrap returns the error without its remedy.
func (h *hinted) Unwrap() error { return h.error }

// failf builds an error with a remedy.
func failf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

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
			return failf("replace the file", "%s: became shorter, or its disk failed, while it was mapped", f.path)
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
