package study

import (
	"fmt"
	"reflect"
	"strings"

	"soup/benchmarks"
	"soup/internal/serve"
)

// description says what a key of the study file means, in the schema and in
// soup help study.
type description struct {
	says     string
	standard string // what it is where it is not given; "" where that is nothing
	also     node   // what the schema says besides
}

func (d description) text() string {
	if d.standard == "" {
		return d.says
	}
	return d.says + " (default: " + d.standard + ")"
}

// descriptions are those of all keys, by their path; a test looks for keys without
// one.
func descriptions() map[string]description {
	from0 := node{"minimum": 0}
	not0 := node{"not": node{"const": 0}}
	return map[string]description{
		"study": {"name of the study", "the file's name", nil},
		"seed":  {"where every random draw comes from", "0", nil},
		"base":  {"what the parents were fine-tuned from: checked against them, and scored as a row", "", nil},

		"parents":      {"checkpoints to average: a list of names and paths, or one glob", "", nil},
		"parents.name": {"name of the parent", "the path's last element", nil},
		"parents.path": {"Hugging Face directory or GGUF file", "", nil},

		"run": {"in place of parents: a glob of one training run's checkpoints, which are the parents, oldest first", "", node{"minLength": 1}},

		"groups":                {"which tensors share weights", "global", nil},
		"groups.layers":         {"so many blocks of consecutive layers", "", node{"minimum": 1}},
		"groups.kind":           {"a group for each of these kinds; the rest is the group other", "", node{"minItems": 1}},
		"groups.patterns":       {"a group for each pattern, the first match wins; the rest is the group other", "", node{"minItems": 1}},
		"groups.patterns.name":  {"name of the group", "", nil},
		"groups.patterns.match": {"regular expression on tensor names", "", nil},

		"benchmarks":         {"what is scored: files of your own, or official ones, such as {bfcl: PATH}", "", node{"minItems": 1}},
		"benchmarks.name":    {"name of the benchmark", "the file's name", nil},
		"benchmarks.file":    {"items, JSON Lines", "", node{"minLength": 1}},
		"benchmarks.command": {"program that scores items of metric command", "", nil},
		"benchmarks.timeout": {"of one answer that the program scores", "", nil},

		"objective":                {"the one number that a candidate is judged by, and what it may not lose", "the mean over categories", nil},
		"objective.aggregate":      {"how categories become one number", "mean", node{"enum": []string{"mean"}}},
		"objective.weights":        {"weight of a category", "1 each", node{"additionalProperties": node{"type": "number", "minimum": 0}}},
		"objective.keep":           {"constraints: what the winner must not lose", "", nil},
		"objective.keep.benchmark": {"every category of this benchmark", "", nil},
		"objective.keep.category":  {"this category", "", nil},
		"objective.keep.of":        {"the parent to compare with", "best-parent", nil},
		"objective.keep.margin":    {"how much may be lost; 0.01 is a point", "0", nil},
		"objective.keep.sure":      {"judge by the whole interval, not the difference alone", "false", nil},

		"probe":      {"midpoints scores the midpoint of every two parents before any search, and warns of parents that cannot be averaged", "none", node{"enum": []string{midpointProbe}}},
		"strategies": {"what proposes candidates: names, or one name with options, such as {auto: {budget: 60}}", "[auto]; []: baselines only", nil},

		"budget":        {"bounds of the search; baselines always run", "", nil},
		"budget.trials": {"no new candidate after so many were scored", "", from0},
		"budget.items":  {"no new candidate after so many search items were asked", "", from0},
		"budget.tokens": {"no new candidate after so many tokens were generated, as far as the server counts them", "", from0},
		"budget.time":   {"no new candidate after so much time spent scoring, such as 8h", "", nil},
		"budget.cost":   {"no new candidate after scoring has cost so much, by rate", "", from0},
		"budget.rate":   {"what an hour of scoring costs", "", from0},

		"racing":       {"stop candidates early that are surely not better than the best so far", "all items for all", nil},
		"racing.first": {"items before the first look", "50", node{"minimum": 1}},
		"racing.eta":   {"by how much the items grow from look to look", "3", node{"minimum": 2}},
		"racing.alpha": {"most of the candidates that would not be worse that may be stopped", "0.05", node{"exclusiveMinimum": 0, "maximum": 0.5}},

		"finalists": {"how many of the best on search are scored on selection", "5", from0},

		"server":                   {"what runs the candidates", "the embedded engine", nil},
		"server.kind":              {"the program", "embedded", node{"enum": serve.Kinds()}},
		"server.url":               {"of a server that runs", "", nil},
		"server.start":             {"soup starts one, and ends it", "false", nil},
		"server.program":           {"what to start", "found in the PATH", nil},
		"server.args":              {"added to its command line", "", nil},
		"server.key":               {"environment variable with the key to send", "", nil},
		"server.model":             {"name that the server gives the model", "soup", nil},
		"server.template":          {"ollama: a model there whose template and parameters are used", "the checkpoint's", nil},
		"server.models":            {"llamaserver: folder that a router reads", "", nil},
		"server.swap":              {"openai: command that loads the path it is given", "", nil},
		"server.takes":             {"openai: what swap is given", "safetensors", node{"enum": []string{"safetensors", "gguf"}}},
		"server.request":           {"openai: more keys of every request", "", nil},
		"server.threads":           {"of the engine, or of a server that soup starts", "chosen", nil},
		"server.context":           {"tokens that a prompt and its answer may have", "the server's", from0},
		"server.parallel":          {"requests in flight", "found by a short ramp", from0},
		"server.timeout":           {"of one item, such as 5m", "5m", nil},
		"server.candidate_timeout": {"of one candidate; one that takes longer is failed", "", nil},
		"server.wait":              {"for a server that is down to come back", "10m", nil},
		"server.verify":            {"ask each item until two answers agree", "false", nil},

		"weights":     {"bounds of the weights, in every group", "", nil},
		"weights.min": {"least weight of a parent", "0", nil},
		"weights.max": {"largest weight of a parent", "1", not0},
		"weights.sum": {"what they add up to", "1", not0},
		"store":       {"dtype of the soup", "the parents'", node{"enum": []string{"bfloat16", "float16", "float32"}}},
	}
}

// keyPaths lists every key in the order of the types, and where each stands.
func keyPaths() []string { return below("", reflect.TypeFor[Config]()) }

func below(path string, t reflect.Type) (paths []string) {
	switch t {
	case reflect.TypeFor[Parents]():
		t = reflect.TypeFor[Parent]()
	case reflect.TypeFor[benchmarks.Source]():
		t = reflect.TypeFor[benchmarks.PlainKeys]()
	case reflect.TypeFor[Server]():
		t = reflect.TypeFor[serverKeys]()
	case reflect.TypeFor[StrategySpec]():
		return nil
	}
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		return below(path, t.Elem())
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for k := range keysOf(t) {
		at := strings.TrimPrefix(path+"."+k.name, ".")
		paths = append(append(paths, at), below(at, k.of)...)
	}
	return paths
}

// KeysHelp lists the keys of the study file for a terminal of 80 columns.
func KeysHelp() string {
	const indent, width = 28, 80
	var out strings.Builder
	for _, path := range keyPaths() {
		line := fmt.Sprintf("  %-*s", indent-2, path)
		for _, word := range strings.Fields(descriptions()[path].text()) {
			if len([]rune(line))+1+len([]rune(word)) > width {
				out.WriteString(strings.TrimRight(line, " ") + "\n")
				line = strings.Repeat(" ", indent)
			}
			if !strings.HasSuffix(line, " ") {
				line += " "
			}
			line += word
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}
