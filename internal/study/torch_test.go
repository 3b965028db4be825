package study

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"soup/internal/serve"
	"soup/internal/single"
	"soup/merge"
)

// pickled copies a checkpoint's directory with its weights as torch.save writes
// them.
func pickled(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	c, err := merge.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := os.Create(filepath.Join(to, "pytorch_model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	entry := func(name string, data []byte) {
		e, err := w.CreateHeader(&zip.FileHeader{Name: "model/" + name, Method: zip.Store})
		if err == nil {
			_, err = e.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var pickle strings.Builder
	pickle.WriteString("\x80\x02}(")
	for i, x := range c.Tensors() {
		data, err := c.Bytes(x.Name)
		if err != nil {
			t.Fatal(err)
		}
		entry(fmt.Sprintf("data/%d", i), data)
		pickle.WriteString(pickledTensor(x, fmt.Sprint(i)))
	}
	entry("data.pkl", []byte(pickle.String()+"u."))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(to, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
}

// pickledTensor is the opcodes of a name and _rebuild_tensor_v2 of a storage.
func pickledTensor(x merge.Tensor, key string) string {
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	number := func(n int64) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	var sizes, strides string
	stride := int64(1)
	for _, d := range slices.Backward(x.Shape) {
		sizes, strides = number(d)+sizes, number(stride)+strides
		stride *= d
	}
	class := map[merge.DType]string{merge.F32: "FloatStorage", merge.F16: "HalfStorage", merge.BF16: "BFloat16Storage"}[x.DType]
	storage := "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(x.Elements()) + "tQ"
	return text(x.Name) + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + "K\x00(" + sizes + "t(" + strides + "t\x89ccollections\nOrderedDict\n)RtR"
}

// TestPickledParents: a study of pickled checkpoints measures and delivers what
// one of the same checkpoints in safetensors does, and says so when continued.
func TestPickledParents(t *testing.T) {
	const stop = "strategies: [uniform, {random: {budget: 2}}]\n"
	plain := smallStudy(t, stop)
	mustRun(t, plain, RunOptions{})
	file := smallStudy(t, stop)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	copies := t.TempDir()
	for _, p := range []string{"base", "finetune/arith", "finetune/call", "finetune/order"} { // hot stays safetensors
		pickled(t, filepath.Join(root, p), filepath.Join(copies, p))
		text = []byte(strings.ReplaceAll(string(text), filepath.Join(root, p)+"\n", filepath.Join(copies, p)+"\n"))
		text = []byte(strings.ReplaceAll(string(text), filepath.Join(root, p)+"}", filepath.Join(copies, p)+"}"))
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		mustRun(t, file, RunOptions{})
	}
	want, got := read(t, DefaultDir(plain)), read(t, DefaultDir(file))
	if len(want.Outcomes) < 10 || len(want.Outcomes) != len(got.Outcomes) {
		t.Errorf("%d and %d outcomes", len(want.Outcomes), len(got.Outcomes))
	}
	for _, k := range slices.Sorted(maps.Keys(want.Outcomes)) {
		if d := cmp.Diff(want.Outcomes[k], got.Outcomes[k]); d != "" {
			t.Errorf("%s: %s", k, d)
		}
	}
	for _, name := range []string{"model.safetensors", "config.json", "soup.json"} {
		if _, err := os.Stat(filepath.Join(DefaultDir(file), "winner", name)); err != nil {
			t.Error(err)
		}
	}
}

// TestPickledIsScoredAlike: soup eval gives a pickled checkpoint the scores of
// the same one in safetensors, and refuses a file without its configuration.
func TestPickledIsScoredAlike(t *testing.T) {
	plain, copied := garden+"/finetune/arith", filepath.Join(t.TempDir(), "arith")
	pickled(t, plain, copied)
	data := filepath.Join(t.TempDir(), "arith.jsonl")
	takeItems(t, garden+"/data/arith.jsonl", data, 12, brief)
	var scores [2]*single.Scores
	for i, model := range []string{plain, copied} {
		var err error
		if scores[i], err = single.Score(t.Context(), single.ScoreOptions{Model: model, Data: []string{data}, Server: serve.Options{Threads: 1}}); err != nil {
			t.Fatal(err)
		}
		for k := range scores[i].Items {
			scores[i].Items[k].Latency = 0
		}
	}
	if d := cmp.Diff(scores[0].Items, scores[1].Items); d != "" || len(scores[0].Items) != 36 {
		t.Errorf("%d items: %s", len(scores[0].Items), d)
	}
	_, err := single.Score(t.Context(), single.ScoreOptions{Model: filepath.Join(copied, "pytorch_model.bin"), Data: []string{data}})
	if err == nil || !strings.Contains(err.Error(), "pytorch_model.bin: a single file; the engine needs the directory") {
		t.Errorf("%v", err)
	}
}
