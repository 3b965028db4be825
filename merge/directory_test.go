package merge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	shardA = "model-00001-of-00002.safetensors"
	shardB = "model-00002-of-00002.safetensors"
)

// sharded writes a two-shard checkpoint with an index of that weight_map.
func sharded(t testing.TB, seed uint64, weightMap string) string {
	all := smallTensors(seed, BF16)
	return directory(t, map[string]string{
		shardA:    string(safetensorsBytes(all[:3]...)),
		shardB:    string(safetensorsBytes(all[3:]...)),
		indexName: `{"metadata":{"total_size":1},"weight_map":{` + weightMap + `}}`,
	})
}

func fullMap() string {
	var lines []string
	for i, f := range smallTensors(1, BF16) {
		lines = append(lines, `"`+f.name+`":"`+[]string{shardA, shardB}[i/3]+`"`)
	}
	return strings.Join(lines, ",")
}

func TestOpenShards(t *testing.T) {
	c := open(t, sharded(t, 1, fullMap()))
	if len(c.Files()) != 2 || len(c.Tensors()) != 6 {
		t.Fatalf("%d files, %d tensors", len(c.Files()), len(c.Tensors()))
	}
	whole := small(t, 1)
	if equal, _, err := equalTensors(c, whole); !equal || err != nil {
		t.Errorf("shards differ from the whole: %v", err)
	}
	if f := Check([]*Checkpoint{c, whole}, nil); f.Err() != nil {
		t.Error(f.Err())
	}
}

func TestOpenRefusesBadIndexes(t *testing.T) {
	for name, c := range map[string]struct{ weightMap, says string }{
		"shard absent":       {strings.ReplaceAll(fullMap(), shardB, "model-00009.safetensors"), "model-00009.safetensors: no such file"},
		"tensor elsewhere":   {strings.Replace(fullMap(), shardA, shardB, 1), `"lm_head.weight" is not in shard ` + shardB},
		"tensor nowhere":     {fullMap() + `,"ghost":"` + shardA + `"`, `"ghost" is not in shard`},
		"tensor not indexed": {strings.SplitN(fullMap(), ",", 2)[1], `"lm_head.weight" of shard ` + shardA + " is missing from the index"},
		"parent directory":   {`"a":"../x.safetensors"`, "leads out"},
		"absolute":           {`"a":"/etc/x.safetensors"`, "leads out"},
		"empty":              {``, "no weight_map"},
		"duplicate":          {`"a":"x","a":"x"`, "twice"},
		"not a string":       {`"a":1`, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(sharded(t, 1, c.weightMap))
			wantError(t, err, c.says)
		})
	}
}

func TestOpenRefusesTensorInTwoShards(t *testing.T) {
	all := smallTensors(1, BF16)
	_, err := Open(directory(t, map[string]string{
		shardA: string(safetensorsBytes(all[0])), shardB: string(safetensorsBytes(all[0], all[1])),
		indexName: `{"weight_map":{"` + all[0].name + `":"` + shardA + `","` + all[1].name + `":"` + shardB + `"}}`,
	}))
	wantError(t, err, shardB, "twice")
}

func TestSymbolicLinks(t *testing.T) {
	outside := write(t, filepath.Join(t.TempDir(), "x.safetensors"), safetensorsBytes(smallTensors(1, BF16)...))
	leads := t.TempDir()
	link(t, outside, filepath.Join(leads, weightsName))
	_, err := Open(leads)
	wantError(t, err, "leads out of the checkpoint's directory")

	inside := t.TempDir()
	write(t, filepath.Join(inside, "real"), read(t, outside))
	link(t, "real", filepath.Join(inside, weightsName))
	open(t, inside)

	repo := t.TempDir() // as Hugging Face's cache has it
	snapshot := filepath.Join(repo, "snapshots", "abc")
	if err := os.MkdirAll(snapshot, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(repo, "blobs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(repo, "blobs", "123"), read(t, outside))
	link(t, "../../blobs/123", filepath.Join(snapshot, weightsName))
	open(t, snapshot)

	link(t, outside, filepath.Join(inside, "config.json"))
	_, err = open(t, inside).Hash(t.Context())
	wantError(t, err, "config.json", "leads out")
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

func TestOpenDirectoryWithoutWeights(t *testing.T) {
	for file, says := range map[string]string{
		"adapter_model.safetensors": "LoRA",
		"consolidated.safetensors":  "the .safetensors file itself",
		"x.gguf":                    "the .gguf file itself",
		"adapter_model.bin":         "LoRA",
		"model.bin":                 "the .bin file itself",
		"model.pt":                  "the .pt file itself",
		"consolidated.00.pth":       "the .pth file itself",
		"notes.txt":                 "directory that holds",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, file), []byte("x"))
		_, err := Open(dir)
		wantError(t, err, dir)
		if !strings.Contains(hint(err), says) {
			t.Errorf("%s: hint %q, want %q", file, hint(err), says)
		}
	}
}
