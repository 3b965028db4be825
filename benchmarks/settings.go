package benchmarks

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// OptionError is a mistake in a benchmark's options, not in its files.
type OptionError struct{ Message string }

func (e *OptionError) Error() string { return e.Message }

// settings reads the options of a family. The first mistake stays; done returns
// it, an OptionError, and refuses options that nothing has asked for.
type settings struct {
	given map[string]any
	dir   string // that relative paths start from
	asked []string
	err   error
}

func settingsOf(s Source) *settings { return &settings{given: s.Options, dir: s.Dir} }

func (o *settings) value(key string) (any, bool) {
	o.asked = append(o.asked, key)
	v, ok := o.given[key]
	return v, ok
}

func (o *settings) fail(key, format string, args ...any) {
	if o.err == nil {
		o.err = &OptionError{fmt.Sprintf("option %q: ", key) + fmt.Sprintf(format, args...)}
	}
}

// choice is one of several texts, the first unless given.
func (o *settings) choice(key string, texts ...string) string {
	v, ok := o.value(key)
	if !ok {
		return texts[0]
	}
	text, _ := v.(string)
	if !slices.Contains(texts, text) {
		o.fail(key, "%v is none of %s", v, strings.Join(texts, ", "))
	}
	return text
}

func (o *settings) text(key string) string {
	v, ok := o.value(key)
	text, isText := v.(string)
	if ok && !isText {
		o.fail(key, "want text, not %v", v)
	}
	return text
}

// path is a file or folder, seen from the working directory; "" unless given.
func (o *settings) path(key string) string {
	path := o.text(key)
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.dir, path)
}

// count is a whole number from least on.
func (o *settings) count(key string, standard, least int) int {
	v, ok := o.value(key)
	if !ok {
		return standard
	}
	n := least - 1
	switch v := v.(type) {
	case int:
		n = v
	case int64:
		n = int(v)
	case uint64:
		n = int(min(v, 1<<31))
	}
	if n < least {
		o.fail(key, "want a whole number from %d on, not %v", least, v)
	}
	return n
}

// list is a list of texts, or one text.
func (o *settings) list(key string) []string {
	v, ok := o.value(key)
	if !ok {
		return nil
	}
	if text, isText := v.(string); isText {
		return []string{text}
	}
	values, isList := v.([]any)
	if !isList || len(values) == 0 {
		o.fail(key, "want a list of texts, not %v", v)
	}
	texts := make([]string, len(values))
	for i, v := range values {
		text, isText := v.(string)
		if !isText {
			o.fail(key, "want a list of texts, not %v in it", v)
		}
		texts[i] = text
	}
	return texts
}

// table is a text for each of some names.
func (o *settings) table(key string) map[string]string {
	v, ok := o.value(key)
	if !ok {
		return nil
	}
	values, isTable := v.(map[string]any)
	if !isTable {
		o.fail(key, "want texts by name, not %v", v)
	}
	texts := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, isText := values[name].(string)
		if !isText {
			o.fail(key, "want text for %s, not %v", name, values[name])
		}
		texts[name] = text
	}
	return texts
}

func (o *settings) done() error {
	if o.err != nil {
		return o.err
	}
	for _, key := range slices.Sorted(maps.Keys(o.given)) {
		if !slices.Contains(o.asked, key) {
			return &OptionError{fmt.Sprintf("unknown option %q: use %s", key, strings.Join(slices.Sorted(slices.Values(o.asked)), ", "))}
		}
	}
	return nil
}
