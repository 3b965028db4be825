package benchmarks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"soup/eval"
)

// lmMetric is an entry of metric_list.
type lmMetric struct {
	name  string
	match eval.Extraction // options of exact_match
}

// lmFilter is an entry of filter_list.
type lmFilter struct {
	name  string
	steps []eval.Filter
}

// lmMetricBy are the metrics of multiple_choice, as metric choice calls them.
var lmMetricBy = map[string]string{"acc": "sum", "acc_norm": "chars", "acc_bytes": "bytes"}

func (t *lmTask) readTexts() error {
	t.output, t.targetDelimiter, t.exampleEnd = "generate_until", " ", "\n\n"
	t.name = t.source.Name
	task := ""
	err := t.texts(map[string]*string{
		"task": &task, "output_type": &t.output, "target_delimiter": &t.targetDelimiter, "fewshot_delimiter": &t.exampleEnd,
		"test_split": &t.test, "validation_split": &t.validation, "training_split": &t.training, "fewshot_split": &t.shots,
	})
	if err != nil {
		return err
	}
	if task != "" && (t.name == "" || t.name == "lm_eval") {
		t.name = task
	}
	if t.output != "generate_until" && t.output != "multiple_choice" {
		return t.fail("output_type", "%s is not understood; soup has generate_until and multiple_choice", t.output)
	}
	if repeats := t.keys["repeats"]; repeats != nil && fmt.Sprint(repeats) != "1" {
		return t.fail("repeats", "soup asks each item once")
	}
	if unsafe, _ := t.keys["unsafe_code"].(bool); unsafe {
		return t.fail("unsafe_code", "answers are not run")
	}
	return nil
}

// readTemplates reads what makes prompts. The templates of examples are the same
// where fewshot_config does not say otherwise.
func (t *lmTask) readTemplates() (err error) {
	config, err := t.section("fewshot_config", "sampler", "split", "samples", "doc_to_text", "doc_to_target", "doc_to_choice", "gen_prefix", "fewshot_delimiter", "target_delimiter")
	if err != nil {
		return err
	}
	for key, places := range map[string][2]*field{
		"description": {&t.description}, "gen_prefix": {&t.gen, &t.exampleGen},
		"doc_to_text": {&t.question.text, &t.example.text}, "doc_to_target": {&t.question.target, &t.example.target},
		"doc_to_choice": {&t.question.choice, &t.example.choice},
	} {
		if *places[0], err = t.field(key, t.keys[key]); err != nil {
			return err
		}
		if places[1] == nil {
			continue
		}
		*places[1] = *places[0]
		if own := config[key]; own != nil {
			if *places[1], err = t.field("fewshot_config", own); err != nil {
				return err
			}
		}
	}
	switch {
	case t.question.text.compiled == nil:
		return t.fail("doc_to_text", "want a template")
	case !t.question.target.given():
		return t.fail("doc_to_target", "want a template")
	case t.output == "multiple_choice" && !t.question.hasChoices():
		return t.fail("doc_to_choice", "want a template or a list: output_type is multiple_choice")
	}
	return nil
}

func (t *lmTask) readExamples() error {
	config, _ := t.keys["fewshot_config"].(map[string]any)
	t.exampleTarget, t.sampler = t.targetDelimiter, "default"
	for key, place := range map[string]*string{"sampler": &t.sampler, "split": &t.shots, "fewshot_delimiter": &t.exampleEnd, "target_delimiter": &t.exampleTarget} {
		if v := config[key]; v != nil {
			text, ok := v.(string)
			if !ok {
				return t.fail("fewshot_config", "%s: want text, not %v", key, v)
			}
			*place = text
		}
	}
	if t.sampler != "default" && t.sampler != "first_n" {
		return t.fail("fewshot_config", "sampler %s is not understood; there are default and first_n", t.sampler)
	}
	if samples := config["samples"]; samples != nil {
		raw, err := json.Marshal(samples)
		if err == nil {
			var v any
			v, err = decodeJSON(raw)
			list, _ := v.([]any)
			for _, x := range list {
				doc, ok := x.(document)
				if !ok {
					return t.fail("fewshot_config", "samples: want a list of documents")
				}
				t.samples = append(t.samples, doc)
			}
		}
		if err != nil || len(t.samples) == 0 {
			return t.fail("fewshot_config", "samples: want a list of documents")
		}
		fillColumns(t.samples)
	}
	var ok bool
	if t.count, ok = countOf(t.keys["num_fewshot"], 0); !ok {
		return t.fail("num_fewshot", "want a whole number from 0 on")
	}
	return nil
}

// countOf is a whole number from 0 on, standard for none.
func countOf(v any, standard int) (int, bool) {
	switch v := v.(type) {
	case nil:
		return standard, true
	case uint64:
		return int(min(v, 1<<31)), true
	case int64:
		return int(v), v >= 0
	case int:
		return v, v >= 0
	}
	return 0, false
}

func (t *lmTask) readGeneration() error {
	kwargs, err := t.section("generation_kwargs", "until", "max_gen_toks", "do_sample", "temperature")
	if err != nil {
		return err
	}
	if sample, _ := kwargs["do_sample"].(bool); sample {
		return t.fail("generation_kwargs", "do_sample: soup decodes greedily; set it to false")
	}
	if v := kwargs["temperature"]; v != nil && strings.Trim(fmt.Sprint(v), "0.") != "" {
		return t.fail("generation_kwargs", "temperature: soup decodes greedily; set it to 0")
	}
	var ok bool
	if t.maxTokens, ok = countOf(kwargs["max_gen_toks"], 256); !ok || t.maxTokens == 0 {
		return t.fail("generation_kwargs", "max_gen_toks: want a whole number from 1 on")
	}
	delimiter, _ := t.text("fewshot_delimiter", "\n\n")
	t.until = []string{delimiter}
	if v, given := kwargs["until"]; given {
		t.until = listOf(v)
	}
	return nil
}

func (t *lmTask) readMetrics() error {
	known := []string{"exact_match"}
	t.metrics = []lmMetric{{name: "exact_match"}}
	if t.output == "multiple_choice" {
		known = sortedNames(lmMetricBy)
		t.metrics = []lmMetric{{name: "acc"}, {name: "acc_norm"}}
	}
	entries, isList := t.keys["metric_list"].([]any)
	if t.keys["metric_list"] == nil {
		return nil
	}
	if !isList || len(entries) == 0 {
		return t.fail("metric_list", "want a list")
	}
	chosen, _ := t.source.Options["metric"].(string)
	t.metrics = nil
	for _, entry := range entries {
		m, err := t.readMetric(entry)
		if err != nil {
			return err
		}
		if !slices.Contains(known, m.name) {
			if chosen != "" && chosen != m.name {
				continue
			}
			return t.fail("metric_list", "metric %s is not understood for %s; choose one of %s with the option metric", m.name, t.output, strings.Join(known, ", "))
		}
		t.metrics = append(t.metrics, m)
	}
	return nil
}

func (t *lmTask) readMetric(entry any) (lmMetric, error) {
	values, ok := entry.(map[string]any)
	name, named := values["metric"].(string)
	if !ok || !named {
		return lmMetric{}, t.fail("metric_list", "want entries with the key metric")
	}
	m := lmMetric{name: name}
	for _, key := range sortedNames(values) {
		v := values[key]
		problem := ""
		switch key {
		case "metric":
		case "aggregation":
			if v != "mean" && name == "exact_match" || v != "mean" && lmMetricBy[name] != "" {
				problem = fmt.Sprintf("aggregation %v is not understood; soup has mean", v)
			}
		case "higher_is_better":
			if v != true && (name == "exact_match" || lmMetricBy[name] != "") {
				problem = "higher_is_better: want true"
			}
		case "hf_evaluate":
			if v == true {
				problem = "hf_evaluate: metrics of Hugging Face's evaluate are not there"
			}
		case "regexes_to_ignore":
			m.match.RegexesToIgnore = listOf(v)
		case "ignore_case", "ignore_punctuation", "ignore_numbers":
			on, isBool := v.(bool)
			if !isBool {
				problem = key + ": want true or false"
			}
			*map[string]*bool{"ignore_case": &m.match.IgnoreCase, "ignore_punctuation": &m.match.IgnorePunctuation, "ignore_numbers": &m.match.IgnoreNumbers}[key] = on
		default:
			if name == "exact_match" || lmMetricBy[name] != "" {
				problem = fmt.Sprintf("metric %s: %s is not understood", name, key)
			}
		}
		if problem != "" {
			return m, t.fail("metric_list", "%s", problem)
		}
	}
	return m, nil
}

func (t *lmTask) readFilters() error {
	if t.keys["filter_list"] == nil {
		t.filters = []lmFilter{{name: "none", steps: []eval.Filter{{Function: "take_first"}}}}
		return nil
	}
	if t.output == "multiple_choice" {
		return t.fail("filter_list", "is for output_type: generate_until")
	}
	entries, isList := t.keys["filter_list"].([]any)
	if !isList || len(entries) == 0 {
		return t.fail("filter_list", "want a list")
	}
	for _, entry := range entries {
		values, _ := entry.(map[string]any)
		name, named := values["name"].(string)
		steps, isList := values["filter"].([]any)
		if !named || !isList {
			return t.fail("filter_list", "want entries with name and filter")
		}
		f := lmFilter{name: name}
		for _, s := range steps {
			step, err := readStep(s)
			if err != nil {
				return t.fail("filter_list", "%s: %s", name, err)
			}
			f.steps = append(f.steps, step)
		}
		if n := len(f.steps); n == 0 || f.steps[n-1].Function != "take_first" {
			return t.fail("filter_list", "%s: the last filter is not take_first", name)
		}
		t.filters = append(t.filters, f)
	}
	return nil
}

// readStep reads a filter; the keys are those of eval.Filter, and what a map gives
// may be a number.
func readStep(v any) (f eval.Filter, err error) {
	values, ok := v.(map[string]any)
	if !ok {
		return f, fmt.Errorf("want filters with the key function")
	}
	plain := map[string]any{}
	for key, v := range values {
		switch key {
		case "default_value":
			v = textOrNothing(v)
		case "mapping_dict":
			m, _ := v.(map[string]any)
			texts := map[string]any{}
			for from, to := range m {
				texts[from] = textOrNothing(to)
			}
			v = texts
		}
		plain[key] = v
	}
	name, _ := values["function"].(string)
	if !slices.Contains(eval.FilterNames(), name) {
		return f, fmt.Errorf("filter %q is not understood; there are %s", name, strings.Join(eval.FilterNames(), ", "))
	}
	return f, decodeStrictly(plain, &f)
}

func textOrNothing(v any) any {
	if v == nil {
		return nil
	}
	return fmt.Sprint(v)
}

func decodeStrictly(from, into any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// readOptions are those of the source; they come last, for they choose among what
// the task has.
func (t *lmTask) readOptions() error {
	o := settingsOf(t.source)
	var filters, metrics []string
	for _, f := range t.filters {
		filters = append(filters, f.name)
	}
	for _, m := range t.metrics {
		metrics = append(metrics, m.name)
	}
	filter, metric := "", ""
	if len(metrics) == 0 {
		return t.fail("metric_list", "the option metric names none of them")
	}
	filter, metric = o.choice("filter", filters...), o.choice("metric", metrics...)
	t.prompt = o.choice("prompt", "raw", "chat")
	t.count, t.seed, t.maxTokens = o.count("shots", t.count, 0), o.count("seed", 1234, 0), o.count("max_tokens", t.maxTokens, 1)
	if t.prompt == "chat" && t.gen.given() {
		o.fail("prompt", "a gen_prefix begins the model's own turn, which only a raw prompt can")
	}
	if err := o.done(); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	t.filter = t.filters[slices.Index(filters, filter)]
	t.metric = t.metrics[slices.Index(metrics, metric)]
	return nil
}
