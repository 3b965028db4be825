package torchfile

import (
	"github.com/nlpodyssey/gopickle/types"

	"soup/merge/internal/remedy"
)

// storageClass is a class of storages; an empty dtype is one that safetensors
// and soup do not average.
type storageClass struct{ name, dtype string }

// dtypeObject is torch.float32 and the like, which only lies beside weights or
// names the dtype of an untyped storage.
type dtypeObject struct{ name string }

// function is one of torch's, of which only the description of its result is made.
type function struct {
	name string
	call func(args []any) (any, error)
}

// Call implements types.Callable for REDUCE.
func (f *function) Call(args ...any) (any, error) {
	v, err := f.call(args)
	if err != nil {
		return nil, remedy.Errorf(resave, "%s: %w", f.name, err)
	}
	return v, nil
}

// PySetState implements types.PyStateSettable: BUILD changes no class.
func (f *function) PySetState(any) error     { return unbuildable(f.name) }
func (c *storageClass) PySetState(any) error { return unbuildable(c.name) }
func (d *dtypeObject) PySetState(any) error  { return unbuildable(d.name) }

func unbuildable(name string) error {
	return remedy.Errorf(resave, "state given to class %q, which belongs in no state dict", name)
}

// classes are all that a state dict is made of, by module and name. Everything
// that was found in files of torch 1.6 to 2.8; OrderedDict is gopickle's.
var classes = withTypes(map[string]any{
	"collections.OrderedDict":                    &types.OrderedDictClass{},
	"torch.Size":                                 &function{"torch.Size", size},
	"torch._utils._rebuild_tensor_v2":            &function{"torch._utils._rebuild_tensor_v2", rebuildTensor},
	"torch._utils._rebuild_tensor_v3":            &function{"torch._utils._rebuild_tensor_v3", rebuildUntyped},
	"torch._utils._rebuild_parameter":            &function{"torch._utils._rebuild_parameter", rebuildParameter},
	"torch._utils._rebuild_parameter_with_state": &function{"torch._utils._rebuild_parameter_with_state", rebuildParameter},
	"torch.storage.UntypedStorage":               &storageClass{"torch.storage.UntypedStorage", "U8"},
})

// storages are the classes of typed storages, with the names of safetensors.
var storages = map[string]string{
	"Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16",
	"Long": "I64", "Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL",
	"ComplexDouble": "", "ComplexFloat": "",
}

// dtypes are the objects in module torch that stand for element types.
var dtypes = []string{
	"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
	"uint16", "uint32", "uint64", "complex32", "complex64", "complex128",
	"float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2",
}

// kinds says what some of the refused functions would have made.
var kinds = map[string]string{
	"torch._utils._rebuild_qtensor":                "a quantised tensor",
	"torch._utils._rebuild_sparse_tensor":          "a sparse tensor",
	"torch._utils._rebuild_sparse_csr_tensor":      "a sparse tensor",
	"torch._utils._rebuild_meta_tensor_no_storage": "a tensor without data, on device meta",
	"torch._tensor._rebuild_from_type_v2":          "a tensor of another class, or with attributes",
	"torch._utils._rebuild_wrapper_subclass":       "a tensor of another class",
}

// withTypes adds the classes of storages and the dtypes. An init function would
// come too late for the child, whose work is one.
func withTypes(all map[string]any) map[string]any {
	for name, dtype := range storages {
		name = "torch." + name + "Storage"
		all[name] = &storageClass{name, dtype}
	}
	for _, name := range dtypes {
		all["torch."+name] = &dtypeObject{"torch." + name}
	}
	return all
}

// class returns what stands for a class, or refuses it.
func class(module, name string) (any, error) {
	full := module + "." + name
	if c := classes[full]; c != nil {
		return c, nil
	}
	if kind := kinds[full]; kind != "" {
		return nil, remedy.Errorf(resave, "%s (%s) cannot be averaged", kind, full)
	}
	return nil, remedy.Errorf(resave, "class %s is refused: a state dict has no need of it, and a pickle can run code through it", quote(full))
}
