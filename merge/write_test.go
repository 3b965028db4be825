package merge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nlpodyssey/safetensors"

	"soup/merge/internal/kernel"
)

func writeSoup(t testing.TB, parents []*Checkpoint, r Recipe, o WriteOptions) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "below", "soup")
	if parents[0].Format() == GGUF {
		out += ".gguf"
	}
	if _, err := Write(t.Context(), out, parents, nil, r, o); err != nil {
		t.Fatal(err)
	}
	return out
}

func listing(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestWriteGarden writes a soup of real checkpoints; another implementation
// of the format reads it and finds a plain float32 sum.
func TestWriteGarden(t *testing.T) {
	parents := []*Checkpoint{open(t, garden+"finetune/arith"), open(t, garden+"finetune/order")}
	out := writeSoup(t, parents, global(0.3, 0.7), WriteOptions{Method: "by hand"})
	want := []string{"README.md", "config.json", "generation_config.json", weightsName, "soup.json", "tokenizer.json", "tokenizer_config.json"}
	if d := cmp.Diff(want, listing(t, out)); d != "" {
		t.Error(d)
	}
	theirs, err := safetensors.Deserialize(read(t, filepath.Join(out, weightsName)))
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Len() != len(parents[0].Tensors()) || theirs.Len() < 20 {
		t.Errorf("%d tensors", theirs.Len())
	}
	for _, x := range theirs.Tensors() {
		var src []kernel.Operand
		for k, p := range parents {
			data, err := p.Bytes(x.Name)
			if err != nil {
				t.Fatal(err)
			}
			src = append(src, kernel.Operand{Data: data, Type: kernel.BF16, Weight: []float32{0.3, 0.7}[k]})
		}
		got := x.TensorView.Data()
		if !bytes.Equal(got, summed(src, len(got)/2, BF16)) {
			t.Errorf("%s is not the weighted sum", x.Name)
		}
	}
	if fs := Check(append(parents, open(t, out)), nil); len(fs) != 0 {
		t.Errorf("the soup does not fit its parents: %v", fs)
	}
	for _, name := range []string{"config.json", "tokenizer.json"} {
		if !bytes.Equal(read(t, filepath.Join(out, name)), read(t, filepath.Join(parents[0].Path(), name))) {
			t.Errorf("%s changed", name)
		}
	}
}

// TestRecipeMakesTheSameBytes: soup.json alone, and the same parents.
func TestRecipeMakesTheSameBytes(t *testing.T) {
	for name, parents := range map[string][]*Checkpoint{
		"safetensors": {small(t, 1), small(t, 2)}, "gguf": {smallGGUF(t, 1), smallGGUF(t, 2)},
	} {
		g, err := GroupSpec{Kinds: []string{"mlp"}}.Group(names(parents[0]))
		if err != nil {
			t.Fatal(err)
		}
		round := func(tensor string) DType {
			if strings.HasSuffix(tensor, "norm.weight") {
				return BF16
			}
			return AsStored
		}
		out := writeSoup(t, parents, Recipe{Groups: g, Weights: [][]float64{{0.1, 0.9}, {1. / 3, 2. / 3}}, Round: round}, WriteOptions{Method: "test"})
		record, weights := filepath.Join(out, "soup.json"), filepath.Join(out, weightsName)
		if name == "gguf" {
			record, weights = out+".soup.json", out
		}
		saved, err := ReadRecipe(record)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(read(t, weights))
		if saved.SHA256 != hex.EncodeToString(sum[:]) || saved.Method != "test" || len(saved.Round) == 0 {
			t.Errorf("%s: record %+v", name, saved)
		}
		for i, p := range parents {
			hash, _ := p.Hash(t.Context())
			if saved.Parents[i] != (SavedParent{filepath.Base(p.Path()), filepath.Base(p.Path()), hash}) {
				t.Errorf("%s: parent %+v", name, saved.Parents[i])
			}
		}
		again := writeSoup(t, parents, saved.Recipe(), WriteOptions{Store: saved.Store, Method: saved.Method})
		if name == "safetensors" {
			again = filepath.Join(again, weightsName)
		}
		if !bytes.Equal(read(t, weights), read(t, again)) {
			t.Errorf("%s: the recipe gives other bytes", name)
		}
	}
}

func TestWriteOtherDType(t *testing.T) {
	parents := []*Checkpoint{small(t, 1), small(t, 2)}
	out := writeSoup(t, parents, global(0.5, 0.5), WriteOptions{Store: F16})
	for _, x := range open(t, out).Tensors() {
		if x.DType != F16 {
			t.Errorf("%s is %v", x.Name, x.DType)
		}
	}
	want := strings.Replace(smallConfig, "bfloat16", "float16", 1)
	if got := string(read(t, filepath.Join(out, "config.json"))); got != want {
		t.Errorf("config.json is %s", got)
	}
	if saved, err := ReadRecipe(filepath.Join(out, "soup.json")); err != nil || saved.Store != F16 {
		t.Errorf("store %v (%v)", saved.Store, err)
	}
}

func TestWriteCopiesOnlySmallFiles(t *testing.T) {
	first := open(t, smallDir(t, 1, map[string]string{
		"optimizer.pt": "x", "README.md": "theirs", "trainer_state.json": "{}", "events.out.tfevents.1": "x",
		"chat_template.jinja": "{{x}}", "modeling.py": "pass", ".hidden": "x",
	}))
	if err := os.Mkdir(filepath.Join(first.Path(), "original"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := writeSoup(t, []*Checkpoint{first}, global(1), WriteOptions{})
	want := []string{"README.md", "chat_template.jinja", "config.json", weightsName, "modeling.py", "soup.json", "tokenizer.json", "tokenizer_config.json"}
	if d := cmp.Diff(want, listing(t, out)); d != "" {
		t.Error(d)
	}
	if bytes.Contains(read(t, filepath.Join(out, "README.md")), []byte("theirs")) {
		t.Error("the parent's card was copied")
	}
}

func TestWriteRefuses(t *testing.T) {
	a, b := small(t, 1), small(t, 2)
	file := open(t, write(t, filepath.Join(t.TempDir(), "f.safetensors"), safetensorsBytes(smallTensors(1, BF16)...)))
	gguf := smallGGUF(t, 1)
	full := t.TempDir()
	write(t, filepath.Join(full, "x"), []byte("x"))
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, a.Path(), alias)
	fresh := filepath.Join(t.TempDir(), "out")
	for _, c := range []struct {
		out     string
		parents []*Checkpoint
		names   []string
		recipe  Recipe
		says    string
	}{
		{a.Path(), []*Checkpoint{a}, nil, global(1), "is the parent"},
		{alias, []*Checkpoint{a}, nil, global(1), "is the parent"},
		{filepath.Join(a.Path(), "in", "soup"), []*Checkpoint{a}, nil, global(1), "lies in the parent"},
		{filepath.Dir(a.Path()), []*Checkpoint{a}, nil, global(1), "contains the parent"},
		{file.Path(), []*Checkpoint{file}, nil, global(1), "is the parent"},
		{gguf.Path(), []*Checkpoint{gguf}, nil, global(1), "is the parent"},
		{full, []*Checkpoint{a}, nil, global(1), "exists already"},
		{filepath.Join(full, "x"), []*Checkpoint{a}, nil, global(1), "exists already"},
		{filepath.Join(full, "x", "y"), []*Checkpoint{a}, nil, global(1), "not a directory"},
		{fresh, []*Checkpoint{gguf}, nil, global(1), "does not suit"},
		{fresh + ".gguf", []*Checkpoint{a}, nil, global(1), "does not suit"},
		{fresh, []*Checkpoint{a, gguf}, nil, global(1, 1), "a gguf checkpoint"},
		{fresh, []*Checkpoint{a, b}, []string{"x"}, global(1, 1), "1 names for 2 parents"},
		{fresh, []*Checkpoint{a, b}, nil, global(1), "1 for 2 parents"},
		{fresh, nil, nil, global(), "no parents"},
	} {
		_, err := Write(t.Context(), c.out, c.parents, c.names, c.recipe, WriteOptions{})
		wantError(t, err, c.says)
		if c.out != fresh && len(c.parents) == 1 {
			wantError(t, CheckOutput(c.out, c.parents, WriteOptions{}), c.says)
		}
	}
	if err := CheckOutput(fresh, []*Checkpoint{a}, WriteOptions{}); err != nil {
		t.Error(err)
	}
	wantError(t, CheckOutput(fresh, []*Checkpoint{a}, WriteOptions{Shard: -1}), "shard size")
	_, err := Write(t.Context(), fresh+".gguf", []*Checkpoint{gguf}, nil, global(1), WriteOptions{Store: F16})
	wantError(t, err, "keeps its parents' dtypes")
	if got := listing(t, filepath.Dir(fresh)); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

func TestWriteIntoEmptyDirectory(t *testing.T) {
	a, out := small(t, 1), t.TempDir()
	if _, err := Write(t.Context(), out, []*Checkpoint{a}, []string{"a"}, global(1), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, filepath.Join(out, weightsName)), read(t, a.Files()[0])) {
		t.Error("the soup of one parent is not its file")
	}
}

// TestWriteLeavesNothingHalfDone: cancelled in the middle, then no trace.
func TestWriteLeavesNothingHalfDone(t *testing.T) {
	for _, p := range []*Checkpoint{bigParent(t, 1), smallGGUF(t, 1)} {
		ctx, cancel := context.WithCancel(t.Context())
		dir := t.TempDir()
		out := filepath.Join(dir, "soup")
		if p.Format() == GGUF {
			out += ".gguf"
		}
		var last int64
		_, err := Write(ctx, out, []*Checkpoint{p}, nil, global(0.5), WriteOptions{Progress: func(done, total int64) {
			if done <= last || done > total {
				t.Errorf("progress %d after %d of %d", done, last, total)
			}
			last = done
			cancel()
		}})
		if !errors.Is(err, context.Canceled) || last == 0 {
			t.Errorf("error %v after %d bytes", err, last)
		}
		if got := listing(t, dir); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		cancel()
	}
}

func TestReadRecipeRefuses(t *testing.T) {
	for text, says := range map[string]string{
		`{`:                          "broken JSON",
		`{"soup":2}`:                 "version 2",
		`{}`:                         "version 0",
		`{"soup":1,"weights":[]}`:    "0 rows",
		`{"soup":1,"weights":[[1]]}`: "1 for 0 parents",
		`{"soup":1,"store":"int4"}`:  "int4",
		`{"soup":1,"parents":[{}],"weights":[[0]]}`: "sum is 0",
	} {
		path := write(t, filepath.Join(t.TempDir(), "soup.json"), []byte(text))
		_, err := ReadRecipe(path)
		wantError(t, err, path, says)
	}
	_, err := ReadRecipe("absent.json")
	wantError(t, err, "absent.json: no such file")
}

func TestCard(t *testing.T) {
	s := SavedRecipe{
		Parents: []SavedParent{{"a|b", "p", "aa"}, {"c", "q", "bb"}}, Weights: [][]float64{{0.25, 0.75}, {1, 0}},
		Groups: &Grouping{Names: []string{"early", "late"}}, Store: BF16, Method: "greedy",
	}
	card := s.card("night")
	for _, line := range []string{
		"# night", "| parent | weight, early | weight, late | content (sha256) |", `| a\|b | 0.25 | 1 | aa |`, "| c | 0.75 | 0 | bb |",
		"A weighted average of 2 checkpoints, made with soup (greedy).", "rounded once to bfloat16. Configuration",
	} {
		if !strings.Contains(card, line) {
			t.Errorf("no %q in\n%s", line, card)
		}
	}
}

// TestCardOfManyGroups: a column for each of hundreds of groups is no table.
func TestCardOfManyGroups(t *testing.T) {
	s := SavedRecipe{Parents: []SavedParent{{"a", "p", "aa"}, {"b", "q", "bb"}}, Groups: &Grouping{}}
	for g := range 9 {
		s.Groups.Names = append(s.Groups.Names, strings.Repeat("g", g+1))
		s.Weights = append(s.Weights, []float64{float64(g) / 8, 1 - float64(g)/8})
	}
	card := s.card("many")
	for _, line := range []string{
		"| parent | least weight in 9 groups of tensors | largest | content (sha256) |\n|---|---|---|---|\n",
		"| a | 0 | 1 | aa |", "| b | 0 | 1 | bb |",
	} {
		if !strings.Contains(card, line) {
			t.Errorf("no %q in\n%s", line, card)
		}
	}
	s.Groups.Names, s.Weights = s.Groups.Names[:8], s.Weights[:8]
	if card := s.card("eight"); !strings.Contains(card, "weight, gggggggg |") {
		t.Errorf("eight groups have no columns\n%s", card)
	}
}

func TestHash(t *testing.T) {
	hash := func(c *Checkpoint) string {
		h, err := c.Hash(t.Context())
		if err != nil || len(h) != 64 {
			t.Fatalf("%q, %v", h, err)
		}
		return h
	}
	same := hash(small(t, 1))
	if hash(small(t, 1)) != same {
		t.Error("the hash depends on the path")
	}
	if hash(open(t, smallDir(t, 1, map[string]string{"README.md": "x"}))) != same {
		t.Error("the hash depends on the card")
	}
	for name, other := range map[string]*Checkpoint{
		"weights":   small(t, 2),
		"tokenizer": open(t, smallDir(t, 1, map[string]string{"tokenizer.json": "{}"})),
		"config":    open(t, smallDir(t, 1, map[string]string{"config.json": ""})),
		"template":  open(t, smallDir(t, 1, map[string]string{"chat_template.jinja": "x"})),
		"shards":    open(t, sharded(t, 1, fullMap())),
	} {
		if hash(other) == same {
			t.Errorf("the hash does not depend on %s", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := small(t, 3).Hash(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPlan(t *testing.T) {
	parents := []*Checkpoint{open(t, garden+"finetune/arith"), open(t, garden+"finetune/order")}
	p, err := PlanFor(parents, AsStored, filepath.Join(t.TempDir(), "not", "yet"))
	if err != nil {
		t.Fatal(err)
	}
	if p.DiskFree <= 0 || p.DiskNeeded <= p.SoupBytes {
		t.Errorf("disk %d of %d", p.DiskNeeded, p.DiskFree)
	}
	if p.Machine < 0 || runtime.GOOS == "linux" && p.Machine == 0 {
		t.Errorf("memory of this machine %d", p.Machine)
	}
	p.DiskFree, p.DiskNeeded, p.Machine = 0, 0, 0
	want := Plan{Parents: 2, Tensors: 30, Parameters: 574336, ParentBytes: []int64{1151832, 1151832}, SoupBytes: 1151832, Store: BF16, MemoryBytes: memoryBound}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
	text, err := json.Marshal(p)
	if err != nil || !bytes.Contains(text, []byte(`"store":"bfloat16"`)) {
		t.Errorf("%s, %v", text, err)
	}
	wide, err := PlanFor(parents, F32, ".")
	if err != nil || wide.SoupBytes < 2*1148672 {
		t.Errorf("%d bytes as float32 (%v)", wide.SoupBytes, err)
	}
	_, err = PlanFor(nil, AsStored, ".")
	wantError(t, err, "no parents")
}

func TestFindingsJSON(t *testing.T) {
	text, err := json.Marshal(Finding{"c", Warn, "p", "t", "m", "r"})
	if want := `{"code":"c","severity":"warn","parent":"p","tensor":"t","message":"m","remedy":"r"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	if !slices.Equal([]string{Refuse, Warn, Note}, []string{"refuse", "warn", "note"}) {
		t.Error("severities changed")
	}
}
