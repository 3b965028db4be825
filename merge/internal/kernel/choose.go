package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Variable is the environment variable that names the kernel to use.
const Variable = "SOUP_KERNEL"

// variant is an implementation that this machine can run.
type variant struct {
	name string
	sum  kernel
	less func(dst, less []float32, data []byte, typ Type) // see lessPortable
	tile func(sums []float64, a, b []float32, n int)      // see tilePortable
}

// plain is the variant in Go alone.
var plain = variant{"portable", portable, lessPortable, tilePortable}

// known names every implementation there is, on any machine.
var known = []string{"avx512", "avx2", "neon", "portable"}

// variants returns what this machine can run, the fastest first.
var variants = sync.OnceValue(func() []variant {
	return append(vectors(), plain)
})

// selected is what Select took; nil: the environment decides.
var selected atomic.Pointer[variant]

// fromEnvironment reads the variable once.
var fromEnvironment = sync.OnceValues(readEnvironment)

// readEnvironment takes the kernel that the variable names. Where this machine
// has none of the name, portable sums, which is right everywhere, and Err has
// the error.
func readEnvironment() (variant, error) {
	v, err := find(os.Getenv(Variable))
	if err != nil {
		return plain, &badName{err, Variable + ": "}
	}
	return v, nil
}

// chosen returns the implementation in use.
func chosen() variant {
	if v := selected.Load(); v != nil {
		return *v
	}
	v, _ := fromEnvironment()
	return v
}

// find returns the implementation of a name; the fastest for "".
func find(name string) (variant, error) {
	if name == "" {
		return variants()[0], nil
	}
	for _, v := range variants() {
		if v.name == name {
			return v, nil
		}
	}
	if slices.Contains(known, name) {
		return variant{}, fmt.Errorf("this processor cannot run the kernel %q", name)
	}
	return variant{}, fmt.Errorf("no kernel is named %q", name)
}

// Select takes the kernel of a name, one of [Names], for all sums from now on;
// "" takes the fastest. It goes before the environment. An unknown name and one
// that this processor cannot run are errors and change nothing.
func Select(name string) error {
	v, err := find(name)
	if err != nil {
		return &badName{err, ""}
	}
	selected.Store(&v)
	return nil
}

// Err says what is wrong with the environment's choice: nil where SOUP_KERNEL is
// unset, names a kernel of this machine, or [Select] took one. A program asks
// before it starts work.
func Err() error {
	if selected.Load() != nil {
		return nil
	}
	_, err := fromEnvironment()
	return err
}

// Name returns the kernel in use.
func Name() string { return chosen().name }

// Names returns the kernels that this machine can run, the fastest first.
func Names() []string {
	var names []string
	for _, v := range variants() {
		names = append(names, v.name)
	}
	return names
}

// badName is the error of a kernel that cannot be had.
type badName struct {
	error
	option string // what named it
}

// Error names the option, if there is one.
func (e *badName) Error() string { return e.option + e.error.Error() }

// Unwrap returns the error without the option.
func (e *badName) Unwrap() error { return e.error }

// Hint returns the remedy, one line.
func (e *badName) Hint() string {
	return "use one of " + strings.Join(Names(), ", ") + ", or none: the fastest is taken"
}
