package merge

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"soup/merge/internal/remedy"
)

const (
	weightsName = "model.safetensors"
	indexName   = "model.safetensors.index.json"
)

// openDirectory opens a Hugging Face directory. As in transformers, a single
// model.safetensors goes before an index, and both before pickled weights.
func (c *Checkpoint) openDirectory(dir string) error {
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	var err error
	switch {
	case there(weightsName):
		return c.openInside(dir, weightsName)
	case there(indexName):
		return c.openShards(dir, indexName)
	case there(torchName):
		err = c.openInside(dir, torchName)
	case there(torchIndexName):
		err = c.openShards(dir, torchIndexName)
	default:
		return noWeights(dir)
	}
	if err != nil {
		return err
	}
	return c.dropTied(dir)
}

// openInside opens a weight file of a directory if it does not lead out of it.
func (c *Checkpoint) openInside(dir, name string) error {
	if isTorch(name) {
		return c.openTorches(dir, []string{name})
	}
	path := filepath.Join(dir, name)
	if err := staysInside(dir, path); err != nil {
		return err
	}
	return c.openSafetensors(path, name)
}

// openShards opens the files that an index names and checks that index and
// shards hold the same tensors.
func (c *Checkpoint) openShards(dir, index string) error {
	path := filepath.Join(dir, index)
	if err := staysInside(dir, path); err != nil {
		return err
	}
	shardOf, err := readIndex(path)
	if err != nil {
		return remedy.Errorf("download or copy the file again", "%s: %w", path, err)
	}
	shards := slices.Sorted(maps.Keys(invert(shardOf)))
	for _, shard := range shards {
		if !filepath.IsLocal(shard) || strings.Contains(shard, `\`) {
			return remedy.Errorf("do not trust this checkpoint", "%s: shard %q leads out of the directory", path, shard)
		}
		if isTorch(shard) != (index == torchIndexName) {
			return remedy.Errorf("download the checkpoint again", "%s: shard %q is of another format", path, shard)
		}
	}
	if err := c.openEach(dir, shards); err != nil {
		return err
	}
	if len(c.files) > 1 {
		c.header = nil
	}
	return c.matchIndex(path, shardOf)
}

// openEach opens several weight files of one format.
func (c *Checkpoint) openEach(dir string, shards []string) error {
	if isTorch(shards[0]) {
		return c.openTorches(dir, shards)
	}
	for _, shard := range shards {
		if err := c.openInside(dir, shard); err != nil {
			return err
		}
	}
	return nil
}

// readIndex reads the weight_map of an index: tensor name to shard.
// https://huggingface.co/docs/transformers/main/en/big_models
func readIndex(path string) (map[string]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	shardOf := map[string]string{}
	err = object(raw, func(key string, value json.RawMessage) error {
		if key != "weight_map" {
			return nil
		}
		return object(value, func(tensor string, shard json.RawMessage) error {
			var name string
			err := json.Unmarshal(shard, &name)
			shardOf[tensor] = name
			return err
		})
	})
	if err == nil && len(shardOf) == 0 {
		err = fmt.Errorf("no weight_map")
	}
	return shardOf, err
}

// matchIndex checks an index against the opened shards, both ways.
func (c *Checkpoint) matchIndex(path string, shardOf map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		i, ok := c.index[name]
		if !ok || c.places[i].file.name != shardOf[name] {
			return remedy.Errorf("download the checkpoint again", "%s: tensor %q is not in shard %s", path, name, shardOf[name])
		}
	}
	for i, t := range c.tensors {
		if _, ok := shardOf[t.Name]; !ok {
			return remedy.Errorf("download the checkpoint again", "%s: tensor %q of shard %s is missing from the index", path, t.Name, c.places[i].file.name)
		}
	}
	return nil
}

// invert returns the set of a map's values as keys.
func invert(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[v] = k
	}
	return out
}

// staysInside refuses a path whose symbolic links lead out of its directory.
// One way out is allowed, or nothing downloaded by Hugging Face's own tools
// would open: snapshots/REVISION/FILE -> blobs/HASH of the same cached
// repository (https://huggingface.co/docs/huggingface_hub/guides/manage-cache).
func staysInside(dir, path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return remedy.Opening(path, err)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return remedy.Opening(dir, err)
	}
	if within(root, real) {
		return nil
	}
	snapshots := filepath.Dir(root)
	if filepath.Base(snapshots) == "snapshots" && within(filepath.Join(filepath.Dir(snapshots), "blobs"), real) {
		return nil
	}
	return remedy.Errorf("copy the file into the directory if you trust it", "%s: a symbolic link that leads out of the checkpoint's directory", path)
}

// within says whether path is dir or lies inside it. Both are resolved.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// noWeights says what a directory without the usual weight files holds.
func noWeights(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return remedy.Opening(dir, err)
	}
	hints := []struct{ pattern, hint string }{
		{"adapter_*.safetensors", "this is a LoRA adapter: bake it into its base model first (soup merge --base BASE)"},
		{"*.safetensors", "give the .safetensors file itself"},
		{"*.gguf", "give the .gguf file itself"},
		{"adapter_*.bin", "this is a LoRA adapter: merge it into its base model first"},
		{"*.pt", "give the .pt file itself"},
		{"*.pth", "give the .pth file itself"},
		{"*.bin", "give the .bin file itself"},
	}
	for _, h := range hints {
		for _, e := range entries {
			if ok, _ := filepath.Match(h.pattern, e.Name()); ok {
				return remedy.Errorf(h.hint, "%s: no %s in this directory, only %s", dir, weightsName, e.Name())
			}
		}
	}
	return remedy.Errorf("give the directory that holds "+weightsName+" or its index", "%s: no weights in this directory", dir)
}
