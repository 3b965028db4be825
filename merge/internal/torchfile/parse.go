package torchfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"

	"soup/merge/internal/remedy"
)

// wrappers are the keys under which trainers put a state dict beside other things.
var wrappers = []string{"state_dict", "model", "module"}

// parse lists the tensors of a file of that size, in the order of its state
// dict. It is what the child process does.
func parse(r io.ReaderAt, size int64) ([]Tensor, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	if err := scan(a.pickle); err != nil {
		return nil, err
	}
	top, err := unpickle(a.pickle)
	if err != nil {
		return nil, err
	}
	entries, err := stateDict(top)
	if err != nil {
		return nil, err
	}
	return locateAll(entries, a.data)
}

// unpickle builds what a scanned pickle describes. gopickle indexes some slices
// unseen, so its panics are errors of the file.
func unpickle(data []byte) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = remedy.Errorf(again, "malformed pickle: %v", p)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(data))
	u.FindClass = class
	u.PersistentLoad = persistent(map[string]*storage{})
	if v, err = u.Load(); err != nil {
		return nil, malformed(err)
	}
	return v, nil
}

// malformed words gopickle's errors, some of which print whole objects.
func malformed(err error) error {
	var own *remedy.Error
	if errors.As(err, &own) {
		return err
	}
	text := err.Error()
	if text = text[:min(len(text), 200)]; !strings.ContainsAny(text, "\n\r") && utf8.ValidString(text) {
		return remedy.Errorf(again, "malformed pickle: %s", text)
	}
	return remedy.Errorf(again, "malformed pickle: %s", quote(text))
}

// persistent returns the reader of persistent ids, ("storage", class, key,
// device, elements): torch.serialization.persistent_load. Every tensor of a
// storage repeats its id.
func persistent(seen map[string]*storage) func(any) (any, error) {
	return func(id any) (any, error) {
		s, err := identified(id)
		if err != nil {
			return nil, err
		}
		switch old := seen[s.key]; {
		case old == nil:
			seen[s.key] = s
		case *old != *s:
			return nil, remedy.Errorf(again, "storage %s is described twice and differently", quote(s.key))
		}
		return seen[s.key], nil
	}
}

// identified reads one persistent id.
func identified(id any) (*storage, error) {
	tuple, ok := id.(*types.Tuple)
	if !ok || len(*tuple) != 5 || (*tuple)[0] != any("storage") {
		return nil, remedy.Errorf(again, "a persistent id is not that of a storage")
	}
	class, isClass := (*tuple)[1].(*storageClass)
	key, isKey := (*tuple)[2].(string)
	n, isInt := (*tuple)[4].(int)
	if !isClass || !isKey || !isInt {
		return nil, remedy.Errorf(again, "a storage's id does not hold class, key, device and size")
	}
	return &storage{class: class, key: key, elements: int64(n)}, nil
}

// entry is one key of a dict with its value.
type entry struct {
	key   string
	value any
}

// stateDict finds the state dict: the top level, or what one wrapper key holds.
func stateDict(top any) ([]entry, error) {
	all, err := members(top)
	if err != nil {
		return nil, remedy.Errorf(resave, "the file does not hold a state dict: its top level %w", err)
	}
	var inner []entry
	var wrapper string
	for _, e := range all {
		list, err := members(e.value)
		if err != nil || !slices.Contains(wrappers, e.key) || firstTensor(list) == "" {
			continue
		}
		if wrapper != "" {
			return nil, remedy.Errorf(resave, "%q and %q hold a state dict each", wrapper, e.key)
		}
		inner, wrapper = list, e.key
	}
	if wrapper == "" {
		return all, nil
	}
	if name := firstTensor(all); name != "" {
		return nil, remedy.Errorf(resave, "tensor %s lies beside the state dict under %q", name, wrapper)
	}
	return inner, nil
}

// firstTensor returns the quoted name of the first tensor, "" if there is none.
func firstTensor(list []entry) string {
	for _, e := range list {
		if _, ok := e.value.(*tensor); ok {
			return quote(e.key)
		}
	}
	return ""
}

// members returns the entries of a dict whose keys are strings, in its order.
func members(v any) ([]entry, error) {
	var list []entry
	add := func(key, value any) error {
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("has a key that is not a string")
		}
		list = append(list, entry{name, value})
		return nil
	}
	switch d := v.(type) {
	case *types.Dict:
		for _, e := range *d {
			if err := add(e.Key, e.Value); err != nil {
				return nil, err
			}
		}
	case *types.OrderedDict:
		for at := d.List.Front(); at != nil; at = at.Next() {
			e := at.Value.(*types.OrderedDictEntry)
			if err := add(e.Key, e.Value); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("is not a dict")
	}
	return list, nil
}

// locateAll gives the tensors of a state dict their places; anything else in
// one is refused.
func locateAll(entries []entry, data map[string]span) ([]Tensor, error) {
	if len(entries) == 0 {
		return nil, remedy.Errorf(resave, "the state dict is empty")
	}
	seen := make(map[string]bool, len(entries))
	list := make([]Tensor, 0, len(entries))
	for _, e := range entries {
		t, ok := e.value.(*tensor)
		switch {
		case !ok:
			return nil, remedy.Errorf(resave, "entry %s of the state dict is not a tensor", quote(e.key))
		case seen[e.key]:
			return nil, remedy.Errorf(again, "tensor %s is there twice", quote(e.key))
		case !utf8.ValidString(e.key):
			return nil, remedy.Errorf(again, "the name of tensor %s is not UTF-8", quote(e.key))
		}
		seen[e.key] = true
		at, err := t.locate(e.key, data)
		if err != nil {
			return nil, err
		}
		list = append(list, at)
	}
	return list, apart(list)
}

// maxNames bounds the names of one range of bytes: a layer used many times has
// as many, and a file of 1 MB must not stand for a checkpoint of 1 TB.
const maxNames = 64

// apart refuses tensors that share some of their bytes. All of them may be
// shared, which is what tied weights look like.
func apart(list []Tensor) error {
	byPlace := slices.Clone(list)
	slices.SortStableFunc(byPlace, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Bytes, a.Bytes))
	})
	byPlace = slices.DeleteFunc(byPlace, func(t Tensor) bool { return t.Bytes == 0 })
	names := 1
	for i := 1; i < len(byPlace); i++ {
		before, t := byPlace[i-1], byPlace[i]
		if before.Offset+before.Bytes <= t.Offset {
			names = 1
			continue
		}
		if before.Offset != t.Offset || before.Bytes != t.Bytes {
			return remedy.Errorf("call .clone() on both and save again", "tensors %s and %s share some of their bytes", quote(before.Name), quote(t.Name))
		}
		if names++; names > maxNames {
			return remedy.Errorf(resave, "more than %d tensors share the bytes of %s", maxNames, quote(t.Name))
		}
	}
	return nil
}
