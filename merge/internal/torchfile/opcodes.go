package torchfile

// form says what follows an opcode in the stream: its kind, and the width in
// bytes of the operand or, for counted ones, of the length before it.
type form struct {
	kind  kind
	width int
}

type kind uint8

const (
	unknown     kind = iota // refused
	plain                   // nothing, or so many bytes
	counted                 // a string or bytes with its length before it
	integer                 // an integer with its length before it
	line                    // text up to a newline
	global                  // two lines, module and name of a class
	instance                // the same, and arguments: refused once it is named
	stackGlobal             // nothing: the two strings before are module and name
	put                     // keeps the top of the stack under an index; width 0: the next
	get                     // pushes what an index keeps
	framed                  // the length of a frame, of which no account is taken
)

const (
	opProto = 0x80
	opStop  = '.'
)

// forms lists the opcodes that picklers of protocol 1 to 5 write for a state
// dict and what may lie beside it. Left out are those of protocol 0, of the
// extension registry, of out-of-band buffers, and those that make instances of
// classes: OBJ, NEWOBJ, NEWOBJ_EX. Source: Lib/pickletools.py of Python 3.13.
var forms = [256]form{
	opProto: {plain, 1}, 0x95: {framed, 8}, // FRAME

	'(': {plain, 0}, 't': {plain, 0}, ')': {plain, 0}, // MARK, TUPLE, EMPTY_TUPLE
	0x85: {plain, 0}, 0x86: {plain, 0}, 0x87: {plain, 0}, // TUPLE1, TUPLE2, TUPLE3
	']': {plain, 0}, 'a': {plain, 0}, 'e': {plain, 0}, // EMPTY_LIST, APPEND, APPENDS
	'}': {plain, 0}, 's': {plain, 0}, 'u': {plain, 0}, // EMPTY_DICT, SETITEM, SETITEMS
	0x8f: {plain, 0}, 0x90: {plain, 0}, 0x91: {plain, 0}, // EMPTY_SET, ADDITEMS, FROZENSET

	'N': {plain, 0}, 0x88: {plain, 0}, 0x89: {plain, 0}, 'G': {plain, 8}, // NONE, NEWTRUE, NEWFALSE, BINFLOAT
	'J': {plain, 4}, 'K': {plain, 1}, 'M': {plain, 2}, // BININT, BININT1, BININT2
	'I': {line, 0}, 'L': {line, 0}, 0x8a: {integer, 1}, 0x8b: {integer, 4}, // INT, LONG, LONG1, LONG4

	'U': {counted, 1}, 'T': {counted, 4}, // SHORT_BINSTRING, BINSTRING
	0x8c: {counted, 1}, 'X': {counted, 4}, 0x8d: {counted, 8}, // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
	'C': {counted, 1}, 'B': {counted, 4}, 0x8e: {counted, 8}, // SHORT_BINBYTES, BINBYTES, BINBYTES8

	'q': {put, 1}, 'r': {put, 4}, 0x94: {put, 0}, 'h': {get, 1}, 'j': {get, 4}, // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET

	'c': {global, 0}, 0x93: {stackGlobal, 0}, 'i': {instance, 0}, // GLOBAL, STACK_GLOBAL, INST
	'R': {plain, 0}, 'b': {plain, 0}, 'Q': {plain, 0}, // REDUCE, BUILD, BINPERSID
}
