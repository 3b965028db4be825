// Package torchfile finds the tensors of a PyTorch checkpoint (.bin, .pt, .pth)
// without running what the file says. [List] gives each tensor's name, dtype,
// shape and byte range; whoever wants the numbers maps the file and looks there.
//
// # Format
//
// torch.save writes, since version 1.6, a zip archive: FOLDER/data.pkl is a
// pickle of the state dict, FOLDER/data/KEY the bytes of one storage, never
// compressed (torch/serialization.py and caffe2/serialize/inline_container.cc
// of https://github.com/pytorch/pytorch at v2.8.0). The pickle's opcodes are
// those of Python's Lib/pickletools.py, protocols 1 to 5.
//
// Read are a dict of tensors, or a dict that holds one under "state_dict",
// "model" or "module", of dtypes F64, F32, F16, BF16, I64, I32, I16, I8, U8
// and BOOL. Tensors may be views of one storage, and tied ones, the same bytes
// under several names, are several tensors; ones that share only some bytes are
// refused. Refused too, by name: every class but the few a state dict needs,
// non-contiguous tensors, sparse, quantised, complex and 8-bit float ones,
// big-endian and TorchScript archives, and the format before 1.6.
//
// # Safety
//
// A pickle is a program. This one is read behind three guards: its opcodes, class
// names and declared lengths are checked before anything is built of it; then
// gopickle builds only plain containers and descriptions of tensors; and both
// happen in a child process, a copy of this program, that gets the open file
// and nothing else: no path, no environment, 224 MB of memory, 20 seconds of
// processor, 30 of wall-clock time. What it prints is checked like any other
// input.
//
// The child is this program started again under another name, argv[0], which
// the init function of this package recognises: any program that imports it,
// tests included, can read archives without a line of its own. It watches its
// memory itself, every 2 ms. On Linux the kernel does so too (setrlimit), bounds
// processor time, and lets the child neither write nor open a file.
//
// The memory suffices for about 100,000 tensors a file; a state dict of more is
// refused like any other that needs too much.
package torchfile
