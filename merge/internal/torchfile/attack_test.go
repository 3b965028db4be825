package torchfile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// touch is an argument for whatever might run a command.
var touch = "(" + text("touch executed") + "t"

// attacks are pickles that try to run code, to take memory or to point
// elsewhere; each with a part of the refusal.
var attacks = map[string][2]string{
	"system":           {"cposix\nsystem\n" + touch + "R.", `class "posix.system" is refused`},
	"nt":               {"cnt\nsystem\n" + touch + "R.", `class "nt.system" is refused`},
	"beside a tensor":  {dict("x", floats(0, 4), "y", "cos\nsystem\n"+touch+"R"), `class "os.system" is refused`},
	"stack global":     {"\x80\x04" + text("builtins") + text("eval") + "\x93" + touch + "R.", `class "builtins.eval" is refused`},
	"by memo":          {"\x80\x04" + text("exec") + "q\x00" + text("builtins") + "q\x01h\x01h\x00\x93" + touch + "R.", `class "builtins.exec" is refused`},
	"computed name":    {"\x80\x04" + text("os") + "]\x93.", "not named by two strings"},
	"names as dict":    {"\x80\x04" + text("os") + text("system") + "}\x930.", "not named by two strings"},
	"getattr":          {"cbuiltins\ngetattr\n(cos\nsystem\n" + text("x") + "tR.", `class "builtins.getattr" is refused`},
	"attrgetter":       {"coperator\nattrgetter\n.", `class "operator.attrgetter" is refused`},
	"dotted":           {"\x80\x04" + text("torch") + text("storage.os.system") + "\x93.", `class "torch.storage.os.system" is refused`},
	"torch.load":       {"ctorch.serialization\nload\n.", `class "torch.serialization.load" is refused`},
	"reconstructor":    {"ccopy_reg\n_reconstructor\n.", `class "copy_reg._reconstructor" is refused`},
	"unasked classes":  {"cbuiltins\nlist\n.", `class "builtins.list" is refused`},
	"instance":         {"(" + text("touch executed") + "ios\nsystem\n.", `class "os.system" is refused`},
	"object":           {"(ccollections\nOrderedDict\no.", "opcode 0x6f"},
	"new object":       {"ccollections\nOrderedDict\n)\x81.", "opcode 0x81"},
	"extension":        {"\x82\x01.", "opcode 0x82"},
	"persistent line":  {"Pos.system\n.", "opcode 0x50"},
	"out of band":      {"\x97.", "opcode 0x97"},
	"last opcode":      {"\xff.", "opcode 0xff"},
	"nested reduce":    {ordered + ")R" + ")R.", "malformed pickle"},
	"reduce of text":   {text("os.system") + touch + "R.", "malformed pickle"},
	"state of a class": {"ctorch\nFloatStorage\n}b.", `state given to class "torch.FloatStorage"`},
	"state of rebuild": {"ctorch._utils\n_rebuild_tensor_v2\n}b.", "state given to class"},
	"ordered of text":  {"ccollections\nOrderedDict\n" + touch + "R.", "malformed pickle"},
	"newline in name":  {"\x80\x04" + text("os\nsoup: done") + text("x\r\n\x1b[2J") + "\x93.", `class "os\nsoup: done.x\r\n\x1b[2J" is refused`},
	"long name":        {"\x80\x04" + text(strings.Repeat("a", 100_000)) + text("x") + "\x93.", `aaa"... is refused`},

	"text of 4 GiB":     {"X\xff\xff\xff\xff.", "4294967295 bytes announced, 1 are left"},
	"text of 2^63":      {"\x8d" + strings.Repeat("\xff", 8) + ".", "bytes announced"},
	"bytes of 2^62":     {"\x8e\x00\x00\x00\x00\x00\x00\x00\x40.", "bytes announced"},
	"negative text":     {"T\xff\xff\xff\xff.", "bytes announced"},
	"frame of 2^62":     {"\x95\x00\x00\x00\x00\x00\x00\x00\x40.", "bytes announced"},
	"integer of 2 GiB":  {"\x8b\xff\xff\xff\x7f.", "an integer of 2147483647 bytes"},
	"negative integer":  {"\x8b\xff\xff\xff\xff.", "an integer of 4294967295 bytes"},
	"integer of none":   {"\x8a\x00.", "an integer of 0 bytes"},
	"integer in digits": {"L" + strings.Repeat("9", 5000) + "L\n.", "no end of line within 1000 bytes"},
	"big integer":       {dict("x", "\x8a\xff"+strings.Repeat("\x7f", 255)), "is not a tensor"},
	"memo gap":          {"Nr\xff\xff\xff\xff.", "memo index 4294967295 follows 0 entries"},
	"memo of nothing":   {"h\x05.", "memo index 5 of 0 entries"},
	"duplicates":        {"]2.", "opcode 0x32"},
	"repeated text":     {text(strings.Repeat("a", 1<<20)) + "q\x00" + strings.Repeat("h\x00", 64) + ".", "strings repeated to more than"},
	"laughs":            {dict("x", "(N\x85q\x00"+strings.Repeat("h\x00h\x00\x86q\x00", 200)+"t"), `entry "x" of the state dict is not a tensor`},
	"laughs as class":   {"N\x85q\x00" + strings.Repeat("h\x00h\x00\x86q\x00", 200) + ")R.", "malformed pickle"},
	"holds itself":      {"]q\x00h\x00a.", "its top level is not a dict"},
	"dict of itself":    {"}q\x00" + text("state_dict") + "h\x00s.", "the state dict"},
	"unhashable":        {"(C\x01at\x8f(C\x01a\x90.", "malformed pickle"},
	"odd items":         {"}(" + text("x") + "u.", "malformed pickle"},
	"no stop":           {"}", "bytes announced"},
	"empty":             {"", "bytes announced"},
	"marks only":        {"((((.", "malformed pickle"},
	"no mark":           {"t.", "malformed pickle"},
	"protocol":          {"\x80\xffN.", "malformed pickle"},

	"storage of 2^62":      {dict("x", built(stored("FloatStorage", "0", 1<<62), 0, numbers(4), numbers(1))), "does not fill its record of 64 bytes"},
	"storage of overflow":  {dict("x", built(stored("FloatStorage", "0", 1<<62+16), 0, numbers(4), numbers(1))), "does not fill its record"},
	"storage below zero":   {dict("x", built(stored("FloatStorage", "0", -16), 0, numbers(4), numbers(1))), "does not fill its record"},
	"storage of halves":    {dict("x", built(stored("HalfStorage", "0", 16), 0, numbers(4), numbers(1))), "does not fill its record"},
	"storage elsewhere":    {dict("x", built(stored("FloatStorage", "../../etc/passwd", 16), 0, numbers(4), numbers(1))), `no record "data/../../etc/passwd"`},
	"storage of nothing":   {dict("x", built("}Q", 0, numbers(4), numbers(1))), "a persistent id is not that of a storage"},
	"storage of a number":  {dict("x", built("(K\x01K\x02K\x03K\x04K\x05tQ", 0, numbers(4), numbers(1))), "a persistent id is not that of a storage"},
	"storage without key":  {dict("x", built("("+text("storage")+"NNNNtQ", 0, numbers(4), numbers(1))), "does not hold class, key"},
	"storage twice":        {dict("x", floats(0, 4), "y", built(stored("HalfStorage", "0", 32), 0, numbers(4), numbers(1))), `storage "0" is described twice`},
	"offset beyond":        {dict("x", floats(13, 4)), "4 elements from 13 on are not in its storage of 16"},
	"offset below":         {dict("x", floats(-1, 4)), "4 elements from -1 on"},
	"offset of overflow":   {dict("x", floats(1<<62, 4)), "elements from 4611686018427387904 on"},
	"sizes beyond":         {dict("x", floats(0, 17)), "17 elements from 0 on"},
	"sizes of overflow":    {dict("x", built(stored("FloatStorage", "0", 16), 0, numbers(1<<32, 1<<32), numbers(1<<32, 1))), "are too large"},
	"sizes below zero":     {dict("x", built(stored("FloatStorage", "0", 16), 0, numbers(-4), numbers(1))), "negative size or stride"},
	"strides below zero":   {dict("x", built(stored("FloatStorage", "0", 16), 0, numbers(4), numbers(-1))), "negative size or stride"},
	"strides missing":      {dict("x", built(stored("FloatStorage", "0", 16), 0, numbers(4), numbers())), "1 sizes and 0 strides"},
	"arguments":            {dict("x", "ctorch._utils\n_rebuild_tensor_v2\n)R"), "0 arguments, not 6 or 7"},
	"arguments of others":  {dict("x", "ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR"), "arguments are not a storage"},
	"parameter of nothing": {dict("x", "ctorch._utils\n_rebuild_parameter\n(N\x89NtR"), "argument 1 is not a tensor"},
	"tensor twice":         {dict("x", floats(0, 4), "x", floats(4, 4)), `tensor "x" is there twice`},
	"half shared":          {dict("x", floats(0, 4), "y", floats(2, 4)), `"x" and "y" share some of their bytes`},
	"name not UTF-8":       {dict("\xff", floats(0, 4)), "is not UTF-8"},
	"two state dicts":      {dict("model", dict("x", floats(0, 4))[2:len(dict("x", floats(0, 4)))-1], "module", dict("x", floats(0, 4))[2:len(dict("x", floats(0, 4)))-1]), "hold a state dict each"},
	"tensor beside":        {dict("model", dict("x", floats(0, 4))[2:len(dict("x", floats(0, 4)))-1], "y", floats(0, 4)), `tensor "y" lies beside the state dict`},
	"nothing in it":        {"}.", "the state dict is empty"},
}

// TestAttacks: each is refused in one line, in bounded time, and runs nothing.
func TestAttacks(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, a := range attacks {
		path := strings.ReplaceAll(name, " ", "-") + ".bin"
		forged(t, path, pack(t, a[0]))
		refused(t, path, a[1], "")
	}
	ran(t)
}

func forged(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ran fails if one of the commands was run.
func ran(t *testing.T) {
	t.Helper()
	if left, err := filepath.Glob("*executed*"); err != nil || len(left) > 0 {
		t.Errorf("a pickle was run: %v, %v", left, err)
	}
}

// TestForgeries: what the attacks are made of is read where nothing is wrong
// with it.
func TestForgeries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.bin")
	forged(t, path, pack(t, dict("x", floats(0, 4), "tied", floats(0, 4), "y", floats(12, 4))))
	tensors, err := list(t, path)
	if err != nil || len(tensors) != 3 || tensors[0].Offset != tensors[1].Offset || tensors[2].Offset != tensors[0].Offset+48 {
		t.Errorf("%+v, %v", tensors, err)
	}
}

// TestBombs: files that unfold into more memory than a child has are refused,
// and the child, not this process, pays for it.
func TestBombs(t *testing.T) {
	t.Chdir(t.TempDir())
	const big = 10 << 20
	for name, pickle := range map[string]string{
		"marks":  strings.Repeat("(", big) + ".",
		"dicts":  strings.Repeat("}", big) + ".",
		"sets":   strings.Repeat("\x8f", big) + ".",
		"memo":   "N" + strings.Repeat("\x94", big) + ".",
		"tuples": "N" + strings.Repeat("\x85", big) + ".",
		"dict":   "}(" + strings.Repeat("K\x01N", big/2) + "u.",
	} {
		forged(t, name+".bin", pack(t, pickle))
		refused(t, name+".bin", "reading the pickle", "safetensors")
	}
	var names strings.Builder
	for i := range maxNames + 1 {
		names.WriteString(text(string(rune('a'+i))) + floats(0, 4))
	}
	forged(t, "aliases.bin", pack(t, "\x80\x02}("+names.String()+"u."))
	refused(t, "aliases.bin", "more than 64 tensors share the bytes", "safetensors")
	forged(t, "large.bin", pack(t, strings.Repeat("N", maxPickle+1)))
	refused(t, "large.bin", "has 67108865 bytes, more than 67108864", "safetensors")
}

// TestBrokenArchives: zip files that are cut, mixed up or made to mislead.
func TestBrokenArchives(t *testing.T) {
	t.Chdir(t.TempDir())
	good := pack(t, dict("x", floats(0, 4)))
	directory := bytes.LastIndex(good, []byte("PK\x01\x02")) // of data/0
	edit := func(at int, value ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[directory+at:], value)
		return b
	}
	wide := binary.LittleEndian.AppendUint32(nil, 1<<31)
	cases := map[string]struct {
		data    []byte
		message string
	}{
		"empty":       {nil, "empty file"},
		"text":        {[]byte("<html>not found</html>"), "not a zip archive as torch.save writes it"},
		"pointer":     {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "a Git LFS pointer"},
		"pickle":      {[]byte("\x80\x02}."), "not a zip archive"},
		"header only": {good[:40], "not a whole zip archive"},
		"no files":    {append([]byte("PK\x03\x04"), packed(t)...), "without files"},
		"no folder":   {packed(t, record{name: "data.pkl"}), "lies in no folder"},
		"no pickle":   {packed(t, record{name: "x/data/0"}), `no record "x/data.pkl"`},
		"two folders": {packed(t, record{name: "x/data/0"}, record{name: "y/data.pkl", data: []byte("}.")}), `no record "x/data.pkl"`},
		"duplicate":   {pack(t, dict("x", floats(0, 4)), record{name: "x/data/0", data: make([]byte, 64)}), `record "x/data/0" is there twice`},
		"two pickles": {pack(t, dict("x", floats(0, 4)), record{name: "x/data.pkl", data: []byte("}.")}), `record "x/data.pkl" is there twice`},
		"zip bomb":    {packed(t, record{"x/data.pkl", make([]byte, 8<<20), true}), "is compressed or encrypted"},
		"data bomb":   {packed(t, record{name: "x/data.pkl", data: []byte("}.")}, record{"x/data/0", make([]byte, 8<<20), true}), "is compressed or encrypted"},
		"big-endian":  {pack(t, dict("x", floats(0, 4)), record{name: "x/byteorder", data: []byte("big")}), `byte order "big" is not little`},
		"script":      {pack(t, dict("x", floats(0, 4)), record{name: "x/code/a.py"}), "a TorchScript archive"},
		"encrypted":   {edit(8, 1), "is compressed or encrypted"},
		"two sizes":   {edit(20, 0, 1), "has two sizes, 256 and 64 bytes"},
		"beyond":      {edit(20, append(bytes.Clone(wide), wide...)...), "ends beyond the file"},
		"no header":   {edit(42, 7), "has no header where the archive says"},
		"elsewhere":   {edit(42, 255, 255, 255, 0), "has no header where the archive says"},
		"overlap":     {edit(42, 0, 0, 0, 0), "overlaps"},
		"overlong":    {edit(42-14, 255, 255), "zip"},
	}
	for name, c := range cases {
		path := strings.ReplaceAll(name, " ", "-") + ".bin"
		forged(t, path, c.data)
		refused(t, path, c.message, "")
	}
	for n := 1; n < len(good); n += 7 {
		forged(t, "cut.bin", good[:n])
		refused(t, "cut.bin", "", "")
	}
}
