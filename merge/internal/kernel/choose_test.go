package kernel

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// reading lets a test read the environment anew and puts all back.
func reading(t *testing.T, value string) {
	t.Setenv(Variable, value)
	old, took := fromEnvironment, selected.Load()
	fromEnvironment = sync.OnceValues(readEnvironment)
	selected.Store(nil)
	t.Cleanup(func() { fromEnvironment = old; selected.Store(took) })
}

func TestNames(t *testing.T) {
	names := Names()
	if names[len(names)-1] != "portable" {
		t.Errorf("%v does not end with portable", names)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			t.Errorf("%s is not a known name", n)
		}
	}
}

func TestEnvironmentChooses(t *testing.T) {
	for _, name := range Names() {
		reading(t, name)
		if Name() != name || Err() != nil {
			t.Errorf("%s=%s gives %s, %v", Variable, name, Name(), Err())
		}
	}
	reading(t, "")
	if Name() != Names()[0] || Err() != nil {
		t.Errorf("unset gives %s, %v, not the fastest", Name(), Err())
	}
}

// absent is a known kernel that this machine cannot run: no machine has all.
func absent() string {
	i := slices.IndexFunc(known, func(n string) bool { return !slices.Contains(Names(), n) })
	return known[i]
}

func TestBadEnvironment(t *testing.T) {
	for value, want := range map[string]string{
		"sse":    `SOUP_KERNEL: no kernel is named "sse"`,
		"AVX2":   `SOUP_KERNEL: no kernel is named "AVX2"`,
		absent(): `SOUP_KERNEL: this processor cannot run the kernel "` + absent() + `"`,
	} {
		reading(t, value)
		if Name() != "portable" {
			t.Errorf("%s: %s sums", value, Name())
		}
		hinted(t, Err(), want)
		if err := Select("portable"); err != nil || Err() != nil {
			t.Errorf("after Select: %v, %v", err, Err())
		}
	}
}

func TestSelect(t *testing.T) {
	reading(t, "portable")
	for _, name := range Names() {
		if err := Select(name); err != nil || Name() != name {
			t.Errorf("Select(%s): %v, %s sums", name, err, Name())
		}
	}
	if err := Select(""); err != nil || Name() != Names()[0] {
		t.Errorf("the fastest is %s, %v", Name(), err)
	}
	hinted(t, Select("mmx"), `no kernel is named "mmx"`)
	hinted(t, Select(absent()), `this processor cannot run the kernel "`+absent()+`"`)
	if Name() != Names()[0] {
		t.Errorf("a refused name changed the kernel to %s", Name())
	}
}

// hinted checks an error's text, its cause, and that its hint names the kernels.
func hinted(t *testing.T, err error, want string) {
	t.Helper()
	var h interface{ Hint() string }
	if err == nil || err.Error() != want || !errors.As(err, &h) {
		t.Fatalf("%v, want %s with a hint", err, want)
	}
	if !strings.Contains(h.Hint(), strings.Join(Names(), ", ")) {
		t.Errorf("hint %q does not name %v", h.Hint(), Names())
	}
	if cause := errors.Unwrap(err); cause == nil || !strings.HasSuffix(want, cause.Error()) {
		t.Errorf("cause %v", cause)
	}
}
