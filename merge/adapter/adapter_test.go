package adapter

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/merge"
)

func contextCancelled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func TestOpen(t *testing.T) {
	a := open(t, "testdata/pattern")
	if a.Base() != "examples/garden/base" || a.Path() != "testdata/pattern" || !IsAdapter(a.Path()) || IsAdapter(garden+"base") {
		t.Errorf("%+v", a)
	}
	if WeightsOf(a.Path()) != "testdata/pattern/adapter_model.safetensors" || WeightsOf(garden) != garden {
		t.Error(WeightsOf(a.Path()))
	}
	if _, ok := a.Module("model.layers.0.self_attn.q_proj"); ok || len(a.Modules()) != 7 {
		t.Errorf("modules %v", a.Modules())
	}
	// s as PEFT has it: patterns match the end of a name, the first that does.
	for name, want := range map[string]Module{
		"lm_head":                         {In: 128, Out: 512, Rank: 2, Scale: 3.0 / 2},
		"model.layers.0.self_attn.v_proj": {In: 128, Out: 64, Rank: 5, Scale: 7.0 / 5},
		"model.layers.1.self_attn.v_proj": {In: 128, Out: 64, Rank: 2, Scale: 7.0 / 2},
		"model.layers.1.mlp.up_proj":      {In: 128, Out: 256, Rank: 1, Scale: 4},
		"model.layers.0.mlp.up_proj":      {In: 128, Out: 256, Rank: 2, Scale: 2},
	} {
		want.Name = name
		if got, ok := a.Module(name); !ok || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if m, _ := open(t, "testdata/rs").Module("model.layers.2.mlp.down_proj"); math.Abs(m.Scale-6/math.Sqrt(3)) > 1e-15 {
		t.Errorf("rslora: %v", m.Scale)
	}
	// Defaults of LoraConfig.
	plain := open(t, directory(t, options{"r": nil, "lora_alpha": nil, "bias": nil}, pair("q", 1, 9, 9, 8)...))
	if m, _ := plain.Module("q"); m.Scale != 1 || check(t, plain).Err() != nil {
		t.Errorf("%+v, %v", m, check(t, plain))
	}
}

func TestPatterns(t *testing.T) {
	var o overrides
	if err := o.UnmarshalJSON([]byte(`{"q": 1, "layers.0.q": 2, "^a.v": 3, "x.*": 4, "b(": 5}`)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"layers.0.q": 1, "q": 1, "tq": 9, "a.v": 3, "b.a.v": 9, "l.xyz": 4, "b(": 5, "none": 9} {
		if got := o.of(name, 9); got != want {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
	if len(o.broken) != 1 {
		t.Errorf("broken %v", o.broken)
	}
}

func TestOpenErrors(t *testing.T) {
	good := func() string { return directory(t, nil, pair("q", 1, 6, 5, 2)...) }
	for says, damage := range map[string]func(dir string) string{
		"no such file or directory":            func(dir string) string { return filepath.Join(dir, "absent") },
		"no adapter_config.json in":            func(dir string) string { return drop(t, dir, configName) },
		"no adapter_model.safetensors in":      func(dir string) string { return drop(t, dir, weightsName) },
		"only pickled weights":                 func(dir string) string { write(t, dir+"/adapter_model.bin", nil); return drop(t, dir, weightsName) },
		"broken JSON":                          func(dir string) string { return configured(t, dir, `{`) },
		"r: a string does not belong there":    func(dir string) string { return configured(t, dir, `{"r":"8"}`) },
		"lora_alpha: a object does not":        func(dir string) string { return configured(t, dir, `{"lora_alpha":{}}`) },
		`rank_pattern: "q" has no number`:      func(dir string) string { return configured(t, dir, `{"rank_pattern":{"q":null}}`) },
		"alpha_pattern: a array does not":      func(dir string) string { return configured(t, dir, `{"alpha_pattern":[1]}`) },
		"not a configuration file":             func(dir string) string { drop(t, dir, configName); mkdir(t, dir, configName); return dir },
		"adapter_model.safetensors: ":          func(dir string) string { write(t, dir+"/"+weightsName, []byte("short")); return dir },
		"leads out of the adapter's directory": func(dir string) string { return escape(t, drop(t, dir, configName), good()) },
	} {
		_, err := Open(damage(good()))
		wantError(t, err, says)
		if hint(err) == "" {
			t.Errorf("%s: no hint", says)
		}
	}
}

func drop(t *testing.T, dir, name string) string {
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func configured(t *testing.T, dir, text string) string {
	write(t, filepath.Join(dir, configName), []byte(text))
	return dir
}

func mkdir(t *testing.T, dir, name string) {
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
}

// escape links a configuration that lies elsewhere.
func escape(t *testing.T, dir, elsewhere string) string {
	if err := os.Symlink(filepath.Join(elsewhere, configName), filepath.Join(dir, configName)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The cache of Hugging Face links snapshots/REVISION/FILE to blobs/HASH.
func TestOpenHubCache(t *testing.T) {
	hub, from := t.TempDir(), directory(t, nil, pair("q", 1, 6, 5, 2)...)
	snapshot := filepath.Join(hub, "snapshots", "0a")
	for _, dir := range []string{snapshot, filepath.Join(hub, "blobs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{configName, weightsName} {
		blob := fmt.Sprint("blob", i)
		write(t, filepath.Join(hub, "blobs", blob), read(t, filepath.Join(from, name)))
		if err := os.Symlink(filepath.Join("..", "..", "blobs", blob), filepath.Join(snapshot, name)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, snapshot)
}

func TestScan(t *testing.T) {
	tensors := pair("q", 1, 6, 5, 2)
	tensors[0].values[3] = float32(math.NaN())
	found, err := open(t, directory(t, nil, tensors...)).Scan(t.Context())
	if err != nil || len(found) != 1 || found[0].Severity != merge.Warn || !strings.Contains(found[0].Message, "1 NaN") {
		t.Errorf("%v, %v", found, err)
	}
}
