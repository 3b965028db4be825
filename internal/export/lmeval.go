package export

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"soup/eval"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// lmEval writes the trial's outcomes on the test items, or on the last split
// before them that was answered, as lm-evaluation-harness 0.4.13 writes its own
// (lm_eval/loggers/evaluation_tracker.py):
//
//	DIR/MODEL/results_TIME.json          means and standard errors, a task a category
//	DIR/MODEL/samples_TASK_TIME.jsonl    every item with prompt and answer
//
// What the harness would know and soup does not is null; what the ledger does not
// have, an answer to an item, is left out of the samples and counted in n-samples. TIME is
// that at which the trial ended.
func (e *exporting) lmEval(ctx context.Context) error {
	r, err := e.harness()
	if err != nil {
		return err
	}
	scratch, err := merge.NewScratch(e.LMEval)
	if err != nil {
		return err
	}
	defer scratch.Remove()
	folder := filepath.Join(gathered, r.folder)
	if err := os.MkdirAll(scratch.Path(folder), 0o755); err != nil {
		return err
	}
	for _, t := range r.tasks {
		if err := ctx.Err(); err != nil {
			return err
		}
		var text bytes.Buffer
		for _, s := range t.samples {
			if err := encode(&text, s, ""); err != nil {
				return err
			}
		}
		if err := scratch.Write(filepath.Join(folder, fmt.Sprintf("samples_%s_%s.jsonl", t.name, r.time)), text.Bytes()); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if err := encode(&text, r.results(), "  "); err != nil {
		return err
	}
	if err := scratch.Write(filepath.Join(folder, "results_"+r.time+".json"), text.Bytes()); err != nil {
		return err
	}
	if err := errors.Join(merge.SyncDir(scratch.Path(folder)), merge.SyncDir(scratch.Path(gathered))); err != nil {
		return err
	}
	if err := scratch.Publish(gathered, e.LMEval); err != nil {
		return err
	}
	e.note(e.LMEval)
	return nil
}

// gathered is the scratch directory's name for what becomes --lm-eval DIR.
const gathered = "gathered"

// encode writes JSON as Python's json.dumps(ensure_ascii=False) does.
func encode(w io.Writer, v any, indent string) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(v)
}

// harness is one run as lm-evaluation-harness would have done it.
type harness struct {
	e      *exporting
	split  string
	time   string
	folder string
	tasks  []task
}

// task is a category.
type task struct {
	name     string // of letters, digits and "_"
	category string
	metric   string
	score    results.CategoryScore
	samples  []map[string]any
	asked    int // outcomes, also those without a score
}

// harness pairs the outcomes with the items that were asked.
func (e *exporting) harness() (*harness, error) {
	set, err := e.study.Items(e.Study)
	if err != nil {
		return nil, err
	}
	scores := e.report.Trials[e.trial.Number].Scores
	r := &harness{e: e, time: e.trial.Finished.UTC().Format("2006-01-02T15-04-05.000000"), folder: modelName(e.study.About.Name)}
	score := scores.Test
	for _, s := range []struct {
		split string
		score *results.Score
	}{{results.Search, scores.Search}, {results.Selection, scores.Selection}, {results.Test, scores.Test}} {
		if s.score != nil {
			r.split, score = s.split, s.score
		}
	}
	if score == nil {
		return nil, usage.Errorf("--lm-eval: trial %d was not scored to the end", e.trial.Number)
	}
	items, err := set.Items(eval.Split(r.split))
	if err != nil {
		return nil, err
	}
	outcomes, err := e.study.Ledger.Outcomes(e.trial.Number, r.split)
	if err != nil {
		return nil, err
	}
	return r, r.fill(items, outcomes, score)
}

// fill makes the tasks, by name; items keep their order.
func (r *harness) fill(items []eval.Item, outcomes []results.Outcome, score *results.Score) error {
	answered := map[string]results.Outcome{}
	for _, o := range outcomes {
		answered[o.Item] = o
	}
	byCategory := map[string]*task{}
	names := map[string]bool{}
	for _, it := range items {
		_, ok := answered[it.ID]
		if !ok {
			continue
		}
		t := byCategory[it.Category]
		if t == nil {
			t = &task{name: taskName(it.Category, names), category: it.Category, metric: it.Metric, score: score.Categories[it.Category]}
			byCategory[it.Category] = t
		}
		if t.metric != it.Metric {
			t.metric = "score"
		}
		t.asked++
	}
	for _, it := range items {
		o, ok := answered[it.ID]
		if !ok || !o.Scored() {
			continue
		}
		t := byCategory[it.Category]
		s, err := sample(len(t.samples), it, o, t.metric)
		if err != nil {
			return err
		}
		t.samples = append(t.samples, s)
	}
	for _, category := range slices.Sorted(maps.Keys(byCategory)) {
		r.tasks = append(r.tasks, *byCategory[category])
	}
	return nil
}

var wordless = regexp.MustCompile(`\W`)

// taskName is a category as the harness may call a task (sanitize_task_name).
func taskName(category string, taken map[string]bool) string {
	name := wordless.ReplaceAllString(category, "_")
	for taken[name] {
		name += "_"
	}
	taken[name] = true
	return name
}

var unfit = regexp.MustCompile(`["<>:/|\\?*\[\]]+`)

// modelName is sanitize_model_name; a name of dots only would be a folder's.
func modelName(name string) string {
	name = unfit.ReplaceAllString(name, "__")
	if strings.Trim(name, ".") == "" {
		return "study"
	}
	return name
}

// defaultTokens is what eval.Request.MaxTokens of 0 means.
const defaultTokens = 32

// sample is one line of samples_TASK_TIME.jsonl.
func sample(number int, it eval.Item, o results.Outcome, metric string) (map[string]any, error) {
	m, err := eval.MetricNamed(it.Metric)
	if err != nil {
		return nil, err
	}
	question := m.Ask(it)
	prompt, err := promptOf(question.Request)
	if err != nil {
		return nil, err
	}
	var doc bytes.Buffer
	if err := encode(&doc, it, "  "); err != nil {
		return nil, err
	}
	target := it.Answer
	if target == "" && len(it.GroundTruth) > 0 {
		target = string(it.GroundTruth)
	}
	s := map[string]any{
		"doc_id": number, "doc": it, "target": target,
		"arguments": map[string]any{"gen_args_0": map[string]any{
			"arg_0": prompt,
			"arg_1": map[string]any{"until": list(question.Stop), "max_gen_toks": cmp.Or(question.MaxTokens, defaultTokens), "do_sample": false, "temperature": 0.0},
		}},
		"resps": [][]string{{o.Answer}}, "filtered_resps": []string{o.Answer},
		"filter": "none", "metrics": []string{metric}, metric: o.Score,
		"doc_hash": hash(strings.TrimSuffix(doc.String(), "\n")), "prompt_hash": hash(prompt), "target_hash": hash(target),
	}
	return s, nil
}

// promptOf is what was asked: the raw prompt, or the conversation as the
// harness' API models have it, a JSON list.
func promptOf(r eval.Request) (string, error) {
	if r.Raw != "" {
		return r.Raw, nil
	}
	var text bytes.Buffer
	err := encode(&text, r.Messages, "")
	return strings.TrimSuffix(text.String(), "\n"), err
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func list(x []string) []string {
	if x == nil {
		return []string{}
	}
	return x
}

// results is results_TIME.json.
func (r *harness) results() map[string]any {
	byTask := map[string]map[string]any{}
	for _, key := range []string{"results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes"} {
		byTask[key] = map[string]any{}
	}
	for _, t := range r.tasks {
		byTask["results"][t.name] = map[string]any{
			"alias": t.category, "name": t.name, "sample_len": len(t.samples), t.metric + ",none": t.score.Mean, t.metric + "_stderr,none": known(t.score.SE),
		}
		byTask["group_subtasks"][t.name] = []string{}
		byTask["configs"][t.name] = t.config(r.split)
		byTask["versions"][t.name] = 1
		byTask["n-shot"][t.name] = 0
		byTask["higher_is_better"][t.name] = map[string]bool{t.metric: true}
		byTask["n-samples"][t.name] = map[string]int{"original": t.asked, "effective": len(t.samples)}
		byTask["task_hashes"][t.name] = t.hash()
	}
	out := r.run()
	for key, value := range byTask {
		out[key] = value
	}
	return out
}

// known is a standard error as the harness writes it: "N/A" where there is none.
func known(se *float64) any {
	if se == nil {
		return "N/A"
	}
	return *se
}

// config is what the harness would have read from the task's YAML.
func (t task) config(split string) map[string]any {
	return map[string]any{
		"task": t.name, "dataset_path": "json", "test_split": split, "output_type": "generate_until", "num_fewshot": 0, "repeats": 1,
		"metric_list":          []map[string]any{{"metric": t.metric, "aggregation": "mean", "higher_is_better": true}},
		"should_decontaminate": false, "metadata": map[string]any{"version": 1},
	}
}

// hash is that of all samples, as save_results_aggregated has it.
func (t task) hash() string {
	var all strings.Builder
	for _, s := range t.samples {
		for _, key := range []string{"doc_hash", "prompt_hash", "target_hash"} {
			fmt.Fprint(&all, s[key])
		}
	}
	return hash(all.String())
}

// run is what is said of the run as a whole.
func (r *harness) run() map[string]any {
	t := r.e.trial
	var server string
	for _, s := range r.e.study.About.Settings {
		if s.Name == "server" {
			server = s.Value
		}
	}
	return map[string]any{
		"config": map[string]any{
			"model": "soup", "model_args": map[string]any{"study": r.e.study.About.Name, "trial": t.Number, "label": t.Label, "server": server},
			"batch_size": nil, "batch_sizes": []int{}, "device": nil, "use_cache": nil, "limit": nil, "bootstrap_iters": nil, "gen_kwargs": nil,
			"random_seed": r.e.study.About.Seed, "numpy_seed": nil, "torch_seed": nil, "fewshot_seed": nil,
		},
		"git_hash": nil, "date": unix(t.Started), "pretty_env_info": "soup " + r.e.Version, "transformers_version": nil, "lm_eval_version": nil, "upper_git_hash": nil,
		"model_source": "soup", "model_name": r.e.study.About.Name, "model_name_sanitized": r.folder,
		"system_instruction": nil, "system_instruction_sha": nil, "fewshot_as_multiturn": nil, "chat_template": nil, "chat_template_sha": nil,
		"start_time": unix(t.Started), "end_time": unix(t.Finished),
		"total_evaluation_time_seconds": number(t.Eval),
	}
}

// unix is a time in seconds, to the microsecond, as Python has it; 0 where it
// is not known.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}
