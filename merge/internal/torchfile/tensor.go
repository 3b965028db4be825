package torchfile

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/nlpodyssey/gopickle/types"

	"soup/merge/internal/remedy"
)

// widths are the dtypes that are read, with the bytes of an element.
var widths = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}

// storage is what a persistent id names: elements of one class in a record.
type storage struct {
	class    *storageClass
	key      string
	elements int64
}

// tensor is what _rebuild_tensor_v2 is told, checked for nothing but its form.
type tensor struct {
	storage       *storage
	offset        int64 // in elements
	shape, stride []int64
	flaw          string // why it cannot be averaged, if it cannot
}

// rebuildTensor describes torch._utils._rebuild_tensor_v2(storage, offset,
// size, stride, requires_grad, backward_hooks[, metadata]). Metadata is there
// for tensors whose bytes stand for their negative or conjugate.
func rebuildTensor(args []any) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, fmt.Errorf("%d arguments, not 6 or 7", len(args))
	}
	t, err := described(args)
	if err == nil && len(args) == 7 && args[6] != nil {
		t.flaw = "stored as the negative or conjugate of another"
	}
	return t, err
}

// rebuildUntyped describes torch._utils._rebuild_tensor_v3, which names the
// dtypes that have no class of storages after the arguments of v2.
func rebuildUntyped(args []any) (any, error) {
	if len(args) != 7 && len(args) != 8 {
		return nil, fmt.Errorf("%d arguments, not 7 or 8", len(args))
	}
	d, ok := args[6].(*dtypeObject)
	if !ok {
		return nil, fmt.Errorf("argument 7 is not a dtype")
	}
	t, err := described(args)
	if err == nil {
		t.flaw = "of dtype " + d.name
	}
	return t, err
}

// rebuildParameter describes torch._utils._rebuild_parameter(data,
// requires_grad, backward_hooks[, state]): its data.
func rebuildParameter(args []any) (any, error) {
	if len(args) != 3 && len(args) != 4 {
		return nil, fmt.Errorf("%d arguments, not 3 or 4", len(args))
	}
	t, ok := args[0].(*tensor)
	if !ok {
		return nil, fmt.Errorf("argument 1 is not a tensor")
	}
	return t, nil
}

// size describes torch.Size(tuple).
func size(args []any) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments, not 1", len(args))
	}
	return args[0], nil
}

// described reads the first four arguments of a rebuild function.
func described(args []any) (*tensor, error) {
	s, isStorage := args[0].(*storage)
	offset, isInt := args[1].(int)
	shape, isShape := sizes(args[2])
	stride, isStride := sizes(args[3])
	if !isStorage || !isInt || !isShape || !isStride {
		return nil, fmt.Errorf("arguments are not a storage, an offset, sizes and strides")
	}
	return &tensor{storage: s, offset: int64(offset), shape: shape, stride: stride}, nil
}

// sizes returns a tuple of integers.
func sizes(v any) ([]int64, bool) {
	tuple, ok := v.(*types.Tuple)
	if !ok {
		return nil, false
	}
	list := make([]int64, len(*tuple))
	for i, v := range *tuple {
		n, ok := v.(int)
		if !ok {
			return nil, false
		}
		list[i] = int64(n)
	}
	return list, true
}

// locate gives a tensor its place in the file.
func (t *tensor) locate(name string, data map[string]span) (Tensor, error) {
	out := Tensor{Name: name, DType: t.storage.class.dtype, Shape: t.shape}
	if t.flaw != "" {
		return out, remedy.Errorf(resave+", in a dtype that can be averaged", "tensor %s is %s", quote(name), t.flaw)
	}
	if out.DType == "" {
		return out, remedy.Errorf(resave, "tensor %s is of class %s, which cannot be averaged", quote(name), t.storage.class.name)
	}
	record, err := t.storage.record(data)
	if err != nil {
		return out, fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	n, err := t.elements()
	if err != nil {
		return out, fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	if t.offset < 0 || t.offset > t.storage.elements || n > t.storage.elements-t.offset {
		return out, remedy.Errorf(again, "tensor %s: %d elements from %d on are not in its storage of %d", quote(name), n, t.offset, t.storage.elements)
	}
	width := widths[out.DType]
	out.Offset, out.Bytes = record.begin+t.offset*width, n*width
	return out, nil
}

// record returns where the storage lies, whose length its elements must fill.
func (s *storage) record(data map[string]span) (span, error) {
	at, ok := data[s.key]
	if !ok {
		return at, remedy.Errorf(again, "no record %s in the archive", quote("data/"+s.key))
	}
	width := widths[s.class.dtype]
	if s.elements < 0 || s.elements > math.MaxInt64/width || s.elements*width != at.size {
		return at, remedy.Errorf(again, "storage %s of %d elements of %s does not fill its record of %d bytes", quote(s.key), s.elements, s.class.dtype, at.size)
	}
	return at, nil
}

// elements counts the elements of a contiguous tensor, row-major, as
// Tensor.is_contiguous does: dimensions of size 1 may have any stride, and so
// may all of a tensor without elements.
func (t *tensor) elements() (int64, error) {
	if len(t.shape) != len(t.stride) {
		return 0, remedy.Errorf(again, "%d sizes and %d strides", len(t.shape), len(t.stride))
	}
	n, contiguous := uint64(1), true
	for i := len(t.shape) - 1; i >= 0; i-- {
		d := t.shape[i]
		if d < 0 || t.stride[i] < 0 {
			return 0, remedy.Errorf(again, "negative size or stride in %v, %v", t.shape, t.stride)
		}
		contiguous = contiguous && (d == 1 || uint64(t.stride[i]) == n)
		over, next := bits.Mul64(n, uint64(max(d, 1)))
		if over != 0 || next > math.MaxInt64/8 {
			return 0, remedy.Errorf(again, "sizes %v are too large", t.shape)
		}
		n = next
	}
	if slices.Contains(t.shape, 0) {
		return 0, nil
	}
	if !contiguous {
		return 0, remedy.Errorf("call .contiguous() on it and save again", "sizes %v with strides %v are not contiguous", t.shape, t.stride)
	}
	return int64(n), nil
}
