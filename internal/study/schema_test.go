package study

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var updateSchema = flag.Bool("update", false, "write docs/study.schema.json")

const schemaFile = "../../docs/study.schema.json"

// The schema in docs is the one of the types.
func TestSchemaFile(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *updateSchema {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/study.schema.json is not that of the types: go generate ./internal/study")
	}
}

// Every key has a description and every description a key.
func TestKeysAreDescribed(t *testing.T) {
	paths, described := keyPaths(), descriptions()
	for _, path := range paths {
		if described[path].says == "" {
			t.Errorf("internal/study/keys.go does not describe %s", path)
		}
	}
	for path := range described {
		if !slices.Contains(paths, path) {
			t.Errorf("there is no key %s", path)
		}
	}
	if len(paths) < 50 {
		t.Errorf("only %d keys", len(paths))
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("study.schema.json", value); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("study.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// valid says what the schema has against a study file.
func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// Every study file of the examples fits the schema, and says where it is.
func TestExamplesFitTheSchema(t *testing.T) {
	s, n := compiledSchema(t), 0
	files, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^parents:`).Match(text) {
			continue
		}
		n++
		if err := valid(t, s, string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../../docs/study.schema.json\n") {
			t.Errorf("%s does not begin with the place of its schema", file)
		}
	}
	if n < 4 {
		t.Errorf("only %d study files", n)
	}
}

// readable reads a study file of that text.
func readable(t *testing.T, text string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadConfig(file)
	return err
}

const plainStudy = "parents: [{path: a}, {path: b}]\nbenchmarks: [{file: c.jsonl}]\n"

// What one can write, both take.
func TestSchemaTakesWhatIsRead(t *testing.T) {
	s := compiledSchema(t)
	for _, more := range []string{
		"",
		"study: x\nseed: 18446744073709551615\nbase: c\nstore: float16\nfinalists: 0\n",
		"groups: global\n", "groups: {layers: 4}\n", "groups: {kind: [attention, mlp]}\n", `groups: {patterns: [{name: early, match: 'layers\.[01]\.'}]}` + "\n",
		"objective: {aggregate: mean, weights: {c: 2, d: 0}, keep: [{benchmark: c, margin: 0.03, sure: true}, {category: d, of: a}]}\n",
		"strategies: [greedy, {random: {budget: 3, alpha: 0.5}}, {gp: {}}, {auto: }]\n",
		"budget: {trials: 3, time: 1h30m}\n", "probe: midpoints\n",
		"weights: {min: -0.5, max: 1.5, sum: 1}\n",
		"server: {kind: ollama, start: true, threads: 2, args: [a], timeout: 10s, candidate_timeout: 1h, wait: 1.5h, verify: true}\n",
		"server: {kind: openai, url: \"http://127.0.0.1:1\", swap: [load], takes: gguf, request: {top_k: 1, max_tokens: null}, model: m, key: K, parallel: 2}\n",
		"server: {kind: vllm, url: \"http://127.0.0.1:1\", context: 10}\n",
	} {
		if err := valid(t, s, plainStudy+more); err != nil {
			t.Errorf("the schema refuses %q: %v", more, err)
		}
		if err := readable(t, plainStudy+more); err != nil {
			t.Errorf("ReadConfig refuses %q: %v", more, err)
		}
	}
	for _, benchmark := range []string{
		"{name: a, file: b, command: [sh, 1], timeout: 3s}", "{bfcl: /data, categories: [live], name: x}", "{flores: p, pairs: [a-b], shots: 5}",
	} {
		text := "parents: [{path: a, name: x}]\nbenchmarks: [" + benchmark + "]\n"
		if err := valid(t, s, text); err != nil {
			t.Errorf("the schema refuses %q: %v", benchmark, err)
		}
		if err := readable(t, text); err != nil {
			t.Errorf("ReadConfig refuses %q: %v", benchmark, err)
		}
	}
}

// What ReadConfig refuses by a file's form, the schema refuses.
func TestSchemaRefusesWhatIsNotRead(t *testing.T) {
	s := compiledSchema(t)
	for _, text := range []string{
		"study: x\n",
		"parents: [{path: a}]\n",
		"benchmarks: [{file: b}]\n",
		"parents: []\nbenchmarks: [{file: b}]\n",
		"parents: [{name: a}]\nbenchmarks: [{file: b}]\n",
		"parents: [{path: a, pth: b}]\nbenchmarks: [{file: b}]\n",
		"parents: [{path: a}]\nbenchmarks: []\n",
		"parents: [{path: a}]\nbenchmarks: [{name: b}]\n",
		"parents: [{path: a}]\nbenchmarks: [{file: b, command: sh}]\n",
		"parents: [{path: a}]\nbenchmarks: [{bfcl: [a]}]\n",
		"parents: [{path: a}]\nbenchmarks: [b.jsonl]\n",
		plainStudy + "wheights: {min: 0}\n",
		plainStudy + "seed: many\n",
		plainStudy + "seed: -1\n",
		plainStudy + "groups: layers\n",
		plainStudy + "groups: {layers: 0}\n",
		plainStudy + "groups: {layers: 2, kind: [mlp]}\n",
		plainStudy + "groups: {patterns: [{nam: x}]}\n",
		plainStudy + "objective: {aggregate: median}\n",
		plainStudy + "objective: {weights: {c: -1}}\n",
		plainStudy + "objective: {weights: {c: high}}\n",
		plainStudy + "objective: {keep: [{benchmark: c, marign: 1}]}\n",
		plainStudy + "strategies: greedy\n",
		plainStudy + "strategies: [{random: {}, soce: {}}]\n",
		plainStudy + "strategies: [{random: 3}]\n",
		plainStudy + "budget: {time: 8}\n",
		plainStudy + "budget: {trials: -1}\n",
		plainStudy + "budget: {time: -1h}\n",
		plainStudy + "finalists: -1\n",
		plainStudy + "probe: edges\n",
		plainStudy + "server: {kind: abacus}\n",
		plainStudy + "server: {sart: true}\n",
		plainStudy + "server: {start: yes please}\n",
		plainStudy + "server: {candidate_timeout: 5}\n",
		plainStudy + "server: {wait: -1s}\n",
		plainStudy + "server: {kind: openai, url: \"http://127.0.0.1:1\", swap: load.sh}\n",
		plainStudy + "server: {kind: openai, url: \"http://127.0.0.1:1\", swap: [a], takes: onnx}\n",
		plainStudy + "server: {kind: ollama, start: true, parallel: -1}\n",
		plainStudy + "weights: {sum: 0}\n",
		plainStudy + "weights: {low: 0}\n",
	} {
		if err := readable(t, text); err == nil {
			t.Errorf("ReadConfig takes %q", text)
		}
		if err := valid(t, s, text); err == nil {
			t.Errorf("the schema takes %q", text)
		}
	}
	for _, text := range []string{"strategies: [gready]\n", "strategies: [{random: {bugdet: 3}}]\n", "strategies: [{random: {budget: 0.5}}]\n", "store: int4\n"} {
		if err := valid(t, s, plainStudy+text); err == nil { // soup run refuses these when it starts
			t.Errorf("the schema takes %q", text)
		}
	}
}
