package benchmarks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"soup/eval"
)

// flores is FLORES-200 (https://github.com/facebookresearch/flores) and FLORES+
// (https://github.com/openlanguagedata/flores): the same sentences in many
// languages, to be translated. Path is the unpacked folder: one sentence a line
// in dev/eng_Latn.dev and devtest/eng_Latn.devtest, or dev/dev.eng_Latn and so
// on. A line of the form
//
//	The ferry leaves the harbour at nine, weather permitting.
//
// becomes, by default and after its examples, the form of lm-evaluation-harness
// 0.4.13 (lm_eval/tasks/portuguese_bench/flores_pt), to be ended by a new line:
//
//	English sentence: The ferry leaves the harbour at nine, weather permitting.
//	German sentence:
//
// There it is few-shot or not as the command line says and draws its examples at
// random; here they are the first of dev. Chance level is 0. Items of one
// sentence share a cluster, whatever the languages.
//
// The authors report BLEU, spBLEU, chrF and chrF++ of a language pair, all of
// which add up counts over the corpus: those are figures, from 0 to 100, named
// after metric and pair, and their mean over the pairs. The score of an item is
// that of the one sentence. Sentences without an answer are left out.
//
// There is no spBLEU: it needs the flores200 SentencePiece model, and the Go
// reader of such models that is kept, github.com/eliben/go-sentencepiece v0.6.0,
// refuses models that add a space in front or drop spaces, SentencePiece's
// defaults.
//
// Options:
//
//	pairs       which pairs, as eng_Latn-deu_Latn; default to and from eng_Latn, for all languages of
//	            the folder if these are at most 40
//	part        devtest (default) or dev
//	prompt      raw (default), or chat: one user turn that asks for a translation
//	shots       examples, the first sentences of dev (of devtest for dev); default 5
//	metric      what scores an item: chrf++ (default), chrf or bleu
//	names       what the prompt calls a language, {quy_Latn: Quechua}; default its name in English
//	max_tokens  default 256
type flores struct {
	source               Source
	pairs                []string
	part, prompt, metric string
	shots, maxTokens     int
	names                map[string]string
	sentences            map[string][]string // by part and language, as read
	examples             string              // the part that examples come from
}

const (
	floresPivot    = "eng_Latn"
	floresMostAuto = 40 // languages; more must be asked for
)

func init() { families["flores"] = family{load: loadFlores, figures: floresFigures} }

func loadFlores(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	f := &flores{
		source: s, pairs: o.list("pairs"), part: o.choice("part", "devtest", "dev"),
		prompt: o.choice("prompt", "raw", "chat"), metric: o.choice("metric", "chrf++", "chrf", "bleu"),
		shots: o.count("shots", 5, 0), maxTokens: o.count("max_tokens", 256, 1), names: o.table("names"),
		sentences: map[string][]string{},
	}
	f.examples = "dev"
	if f.part == "dev" {
		f.examples = "devtest"
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("flores: %w", err)
	}
	if len(f.pairs) == 0 {
		if err := f.allPairs(); err != nil {
			return nil, err
		}
	}
	var items []eval.Item
	for _, pair := range f.pairs {
		more, err := f.load(pair)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

// allPairs is every language of the folder to and from English.
func (f *flores) allPairs() error {
	dir := filepath.Join(f.source.Path, f.part)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("flores: %w: give the folder that has dev and devtest", err)
	}
	var languages []string
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimPrefix(e.Name(), f.part+"."), "."+f.part)
		if name != e.Name() && name != floresPivot {
			languages = append(languages, name)
		}
	}
	if n := len(languages); n == 0 || n > floresMostAuto {
		return fmt.Errorf("flores: %s has %d languages besides %s: choose with the option pairs, [%[3]s-deu_Latn, ..]", dir, n, floresPivot)
	}
	for _, l := range languages {
		f.pairs = append(f.pairs, floresPivot+"-"+l, l+"-"+floresPivot)
	}
	return nil
}

// load makes the items of one pair.
func (f *flores) load(pair string) ([]eval.Item, error) {
	from, to, ok := strings.Cut(pair, "-")
	if !ok || from == to {
		return nil, fmt.Errorf("flores: option \"pairs\": %q is no pair such as eng_Latn-deu_Latn", pair)
	}
	sources, targets, err := f.both(f.part, from, to)
	if err != nil {
		return nil, err
	}
	frame, err := f.frame(from, to)
	if err != nil {
		return nil, err
	}
	items := make([]eval.Item, len(sources))
	for i := range sources {
		id := fmt.Sprintf("%s-%04d", f.part, i+1)
		it := eval.Item{
			ID: f.source.Name + "/" + pair + "/" + id, Benchmark: f.source.Name, Category: pair, Cluster: id,
			Metric: f.metric, MaxTokens: f.maxTokens, Answer: targets[i],
		}
		frame.ask(&it, sources[i])
		if err := it.Validate(); err != nil {
			return nil, fmt.Errorf("flores: line %d of %s: %w", i+1, to, err)
		}
		items[i] = it
	}
	return items, nil
}

// both are the sentences of two languages; they must be as many.
func (f *flores) both(part, from, to string) (sources, targets []string, err error) {
	if sources, err = f.read(part, from); err != nil {
		return nil, nil, err
	}
	if targets, err = f.read(part, to); err != nil {
		return nil, nil, err
	}
	if len(sources) != len(targets) {
		return nil, nil, fmt.Errorf("flores: %s: %s has %d sentences, %s has %d", filepath.Join(f.source.Path, part), from, len(sources), to, len(targets))
	}
	return sources, targets, nil
}

func (f *flores) read(part, lang string) ([]string, error) {
	key := part + "/" + lang
	if known, ok := f.sentences[key]; ok {
		return known, nil
	}
	path := filepath.Join(f.source.Path, part, lang+"."+part)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(filepath.Join(f.source.Path, part, part+"."+lang)) // FLORES+
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("flores: no file %s, nor %s.%s beside it: languages are named as in the files", path, part, lang)
	}
	if err != nil {
		return nil, fmt.Errorf("flores: %w", err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\r\n"), "\n")
	for i := range lines {
		if lines[i] = strings.TrimSpace(lines[i]); lines[i] == "" {
			return nil, fmt.Errorf("%s:%d: empty line where a sentence should be", path, i+1)
		}
	}
	f.sentences[key] = lines
	return lines, nil
}

// floresFrame is what stands around a sentence in a prompt.
type floresFrame struct {
	from, to string // names of the languages
	examples [][2]string
	chat     bool
}

func (f *flores) frame(from, to string) (*floresFrame, error) {
	frame := &floresFrame{chat: f.prompt == "chat"}
	var err error
	if frame.from, err = f.name(from); err != nil {
		return nil, err
	}
	if frame.to, err = f.name(to); err != nil {
		return nil, err
	}
	if f.shots == 0 {
		return frame, nil
	}
	sources, targets, err := f.both(f.examples, from, to)
	if err != nil {
		return nil, err
	}
	if len(sources) < f.shots {
		return nil, fmt.Errorf("flores: option \"shots\": %s has %d sentences only", filepath.Join(f.source.Path, f.examples), len(sources))
	}
	for i := range f.shots {
		frame.examples = append(frame.examples, [2]string{sources[i], targets[i]})
	}
	return frame, nil
}

// name is what English calls a language, with its script where that is not told
// by the language.
func (f *flores) name(lang string) (string, error) {
	if name, ok := f.names[lang]; ok {
		return name, nil
	}
	if tag, err := language.Parse(strings.ReplaceAll(lang, "_", "-")); err == nil {
		if name := display.English.Languages().Name(tag); name != "" {
			return name, nil
		}
	}
	return "", fmt.Errorf("flores: no name is known for %s: give one with the option names, {%[1]s: ..}", lang)
}

func (fr *floresFrame) ask(it *eval.Item, sentence string) {
	if !fr.chat {
		var b strings.Builder
		for _, example := range fr.examples {
			fmt.Fprintf(&b, "%s sentence: %s\n%s sentence:%s\n\n", fr.from, example[0], fr.to, example[1])
		}
		fmt.Fprintf(&b, "%s sentence: %s\n%s sentence:", fr.from, sentence, fr.to)
		it.Raw, it.Stop = b.String(), []string{"\n"}
		return
	}
	turn := func(sentence string) string {
		return fmt.Sprintf("Translate this sentence from %s to %s. Answer with the translation only.\n\n%s", fr.from, fr.to, sentence)
	}
	for _, example := range fr.examples {
		it.Messages = append(it.Messages, eval.Message{Role: "user", Content: turn(example[0])}, eval.Message{Role: "assistant", Content: example[1]})
	}
	it.Messages = append(it.Messages, eval.Message{Role: "user", Content: turn(sentence)})
}

// floresMetrics are those that papers report of FLORES.
var floresMetrics = []struct{ metric, name string }{{"chrf++", "chrF++"}, {"chrf", "chrF"}, {"bleu", "BLEU"}}

// floresFigures are the metrics of each pair and their means over the pairs.
func floresFigures(items []eval.Item, outcomes []eval.Outcome) []Figure {
	var figures []Figure
	for _, m := range floresMetrics {
		metric, _ := eval.CorpusMetricNamed(m.metric)
		pairs, sums := corpusCounts(metric, items, outcomes)
		total := 0.0
		for _, pair := range pairs {
			value := 100 * metric.Corpus(sums[pair])
			figures = append(figures, Figure{Name: m.name + " " + pair, Value: value})
			total += value
		}
		if len(pairs) > 1 {
			figures = append(figures, Figure{Name: m.name + " mean of pairs", Value: total / float64(len(pairs))})
		}
	}
	return figures
}

// corpusCounts adds up the counts of a metric by category; names come in the
// order of the items.
func corpusCounts(metric eval.CorpusMetric, items []eval.Item, outcomes []eval.Outcome) (names []string, sums map[string][]int) {
	answered := make(map[string]eval.Outcome, len(outcomes))
	for _, o := range outcomes {
		if o.Scored() {
			answered[o.ID] = o
		}
	}
	sums = map[string][]int{}
	for _, it := range items {
		o, ok := answered[it.ID]
		if !ok {
			continue
		}
		counts := metric.Counts(it, o.Answer)
		if sums[it.Category] == nil {
			names, sums[it.Category] = append(names, it.Category), make([]int, len(counts))
		}
		for i, c := range counts {
			sums[it.Category][i] += c
		}
	}
	return slices.Clip(names), sums
}
