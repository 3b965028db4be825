package recompute

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"soup/internal/study"
	"soup/results"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError) // the engine reports its layers
	debug.SetGCPercent(400)                 // as in internal/study
	os.Exit(m.Run())
}

// near are numbers that another algorithm gives, not another order of sums:
// McNemar's tail by whole numbers instead of the incomplete beta function, the
// expected maximum by another integral; SQLite's means; places in a plane by the law
// of cosines. All others must be equal, bit for bit.
var near = regexp.MustCompile(`(^|\.)(p|optimism|soft)$|^calibration\.rows|^landscape\.points`)

const nearness = 1e-12

// notRecomputed are parts of a report that are no numbers of the study: what
// strategies say, where the winner lies, and the texts of the data files.
var notRecomputed = regexp.MustCompile(`^(notes|warnings|items\.prompt|items\.expected)(\.|$)|^winner\.path$`)

// TestReportIsRecomputed runs two small studies of real checkpoints and
// recomputes all that is reported. To check what else shows a study's numbers,
// compare it with f, the facts, likewise.
func TestReportIsRecomputed(t *testing.T) {
	for _, s := range []struct{ name, more string }{
		{"equal", "strategies: [{random: {budget: 4}}]\n"},
		{"weighted", `groups: {layers: 2}
strategies: [{random: {budget: 4}}, {soce: {tau: 0.5}}]
objective: {weights: {arith: 2, sort: 0.5, translate: 0}, keep: [{category: call, of: call, margin: 0.05}, {category: sort, margin: 0.3}]}
`},
	} {
		t.Run(s.name, func(t *testing.T) { checkAll(t, ran(t, s.more)) })
	}
}

// finished is a study to recompute in place of the test's own:
//
//	go test ./internal/recompute -run Finished -args -study DIR
var finished = flag.String("study", "", "folder of a finished study")

// TestFinishedStudyIsRecomputed is for studies that are too large for a test.
func TestFinishedStudyIsRecomputed(t *testing.T) {
	if *finished != "" {
		checkAll(t, *finished)
	}
}

func checkAll(t *testing.T, dir string) {
	t.Helper()
	l, f := expect(t, dir)
	report, err := study.BuildReport(t.Context(), dir)
	check(t, err)
	checkJSON(t, f, report, 1000)
	checkText(t, f, report)
	checkCSV(t, f, report)
	checkPlots(t, l, f, report)
	checkPage(t, l, f, dir)
	checkStages(t, dir, f, report)
}

// ran runs a study of the garden and returns its folder. Items of two categories
// are in clusters, and one of the parents answers with nonsense.
func ran(t *testing.T, more string) string {
	t.Helper()
	folder := t.TempDir()
	garden, err := filepath.Abs("../../examples/garden")
	check(t, err)
	text := "study: small\nseed: 11\nbase: " + garden + "/base\nparents:\n"
	for _, p := range []string{"arith", "call", "order", "hot"} {
		text += "  - {name: " + p + ", path: " + garden + "/finetune/" + p + "}\n"
	}
	text += "benchmarks:\n"
	for _, c := range []string{"arith", "call", "sort", "translate"} {
		take(t, filepath.Join(garden, "data", c+".jsonl"), filepath.Join(folder, c+".jsonl"), 13, c == "sort" || c == "translate")
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	file := filepath.Join(folder, "small.yaml")
	check(t, os.WriteFile(file, []byte(text+more), 0o600))
	return finish(t, file)
}

// finish runs a study and returns its folder.
func finish(t *testing.T, file string) string {
	t.Helper()
	c, err := study.ReadConfig(file)
	check(t, err)
	check(t, study.Run(t.Context(), c, study.RunOptions{}))
	return study.DefaultDir(file)
}

// take copies the first n items of every split; in clusters, three items of a
// split share one, and every fourth is alone. No answer may be longer than the right
// one by more than two tokens: a parent that babbles costs as many steps as it may take.
func take(t *testing.T, from, to string, n int, clusters bool) {
	t.Helper()
	raw, err := os.ReadFile(from)
	check(t, err)
	var out bytes.Buffer
	taken := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		var item map[string]any
		check(t, json.Unmarshal([]byte(line), &item))
		split := item["split"].(string)
		if taken[split]++; taken[split] > n {
			continue
		}
		if k := taken[split]; clusters && k%4 != 0 {
			item["cluster"] = fmt.Sprintf("%s %s %d", item["category"], split, k/4)
		}
		item["max_tokens"] = min(32, len(item["answer"].(string))+2)
		check(t, json.NewEncoder(&out).Encode(item))
	}
	check(t, os.WriteFile(to, out.Bytes(), 0o600))
}

// flat are the leaves of JSON by path: "trials.3.scores.search.mean".
func flat(path string, x any, into map[string]any) {
	switch x := x.(type) {
	case map[string]any:
		for name, v := range x {
			flat(strings.TrimPrefix(path+"."+name, "."), v, into)
		}
	case []any:
		for i, v := range x {
			flat(fmt.Sprintf("%s.%d", path, i), v, into)
		}
	case nil: // as absent
	default:
		into[path] = x
	}
}

// checkJSON wants every leaf of the report to be expected, and the other way.
func checkJSON(t *testing.T, f facts, report results.Report, atLeast int) {
	t.Helper()
	var text bytes.Buffer
	check(t, results.WriteJSON(&text, report))
	var is any
	check(t, json.Unmarshal(text.Bytes(), &is))
	compareLeaves(t, "", is, f, atLeast)
}

// compareLeaves wants the same leaves on both sides, and so many numbers at least.
func compareLeaves(t *testing.T, what string, is, should any, atLeast int) {
	t.Helper()
	got, want := map[string]any{}, map[string]any{}
	flat("", is, got)
	flat("", should, want)
	numbers := 0
	for path, x := range got {
		if notRecomputed.MatchString(path) {
			continue
		}
		expected, ok := want[path]
		if !ok {
			t.Errorf("%s%s is %v: nothing recomputes it", what, path, x)
			continue
		}
		if _, is := x.(float64); is {
			numbers++
		}
		if !alike(path, x, expected) {
			t.Errorf("%s%s is %v, recomputed %v", what, path, x, expected)
		}
	}
	for path, x := range want {
		if _, ok := got[path]; !ok {
			t.Errorf("%s%s is missing, recomputed %v", what, path, x)
		}
	}
	if numbers < atLeast {
		t.Errorf("%sonly %d numbers were recomputed", what, numbers)
	}
}

func alike(path string, is, want any) bool {
	x, number := is.(float64)
	y, also := want.(float64)
	if number && also && near.MatchString(path) {
		return math.Abs(x-y) <= nearness*max(1, math.Abs(y))
	}
	return is == want
}

// oneByOne says whether numbers are among others in this order: what stands between
// them, such as n and time, other rows show.
func oneByOne(shown, want []string) bool {
	for _, x := range shown {
		if len(want) > 0 && printedAs(x, want[0]) {
			want = want[1:]
		}
	}
	return len(want) == 0
}

// checkText wants the numbers in the report's lines to be those recomputed, at
// the precision printed: strategies, comparisons, categories, what was kept.
func checkText(t *testing.T, f facts, report results.Report) {
	t.Helper()
	var text bytes.Buffer
	check(t, results.WriteTextWidth(&text, report, 200)) // where no table is divided
	lines := strings.Split(text.String(), "\n")
	shown := func(start string, want ...string) {
		t.Helper()
		i := slices.IndexFunc(lines, func(line string) bool {
			rest, ok := strings.CutPrefix(strings.TrimLeft(line, " *"), start)
			return ok && strings.HasPrefix(rest, " ") && oneByOne(numbersIn(rest), want)
		})
		if i < 0 {
			t.Errorf("no line %q with %q in\n%s", start, want, &text)
		}
	}
	single := checkTables(f, shown)
	for _, x := range f["comparisons"].([]any) {
		c := x.(facts)
		title := c["against"].(string)
		if title == "best-single" {
			title = single
		}
		shown(title, append(differenceText(c), count(c, "wins"), count(c, "losses"), count(c, "ties"))...)
	}
	if e, ok := f["exchanges"].(facts); ok {
		says := fmt.Sprintf("on each of %v test items, %v times, a gain was claimed %v times and a loss %v times", e["items"], e["n"], e["better"], e["worse"])
		if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), says) {
			t.Errorf("no %q", says)
		}
	}
	shown("¹ n =", count(f, "candidates"), points(f["optimism"]))
}

// checkTables asks for the rows that text and page have in common, and returns
// what the best single checkpoint is called there.
func checkTables(f facts, shown func(start string, want ...string)) (single string) {
	for _, x := range f["strategies"].([]any) {
		s := x.(facts)
		title := s["strategy"].(string)
		if title == "single" {
			title = "best single: " + s["label"].(string)
			single = title
		}
		want := []string{fmt.Sprint(s["candidates"])}
		for _, split := range []string{"search", "selection", "test"} {
			want = append(want, scoreText(s["scores"].(facts)[split])...)
		}
		if c, ok := s["against_best_single"].(facts); ok {
			want = append(want, shortText(c)...)
		}
		shown(title, want...)
	}
	in := f["inheritance"].(facts)
	for _, x := range in["specialists"].([]any) {
		c := x.(facts)
		shown(fmt.Sprintf("%s, %s", c["category"], c["parent"]), differenceText(c)...)
	}
	for _, x := range in["parents"].([]any) {
		k := x.(facts)
		shown(k["parent"].(string), slices.Concat([]string{count(k, "solves")}, part(k, "kept", "solves"), []string{count(k, "fails")}, part(k, "gained", "fails"))...)
	}
	choice, _ := f["choice"].(facts)
	if gain, ok := choice["gain"].(facts); ok {
		for name, way := range map[string]string{"as observed on the items that chose": "observed", "on halves that chose nothing": "repeated"} {
			e := gain[way].(facts)
			shown(name, signed(e["delta"]), signed(e["low"]), signed(e["high"]))
		}
		e := gain["shrunken"].(facts)
		shown("lead over other soups shrunk to", fmt.Sprintf("%.0f", 100*gain["factor"].(float64)), signed(e["delta"]), signed(e["low"]), signed(e["high"]))
	}
	return single
}

var numeral = regexp.MustCompile(`[-+<]?\d+(?:\.\d+)?`)

func numbersIn(line string) []string { return numeral.FindAllString(line, -1) }

func count(f facts, name string) string { return fmt.Sprint(f[name]) }

// points has one digit after the point, rounded half away from 0.
func points(x any) string {
	return strconv.FormatFloat(math.Round(1000*x.(float64))/10+0, 'f', 1, 64)
}

func signed(x any) string {
	s := points(x)
	if strings.HasPrefix(s, "-") {
		return s
	}
	return "+" + s
}

func scoreText(x any) []string {
	s, ok := x.(facts)
	if !ok {
		return nil
	}
	if s["se"] == nil {
		return []string{points(s["mean"])}
	}
	return []string{points(s["mean"]), points(s["se"])}
}

// printedAs says whether a number is one of those that are right: "0.12|0.13".
func printedAs(number, right string) bool { return slices.Contains(strings.Split(right, "|"), number) }

// probability is how p may be printed: both ways where it lies, but for its
// nearness, between two.
func probability(x any) string {
	low, high := printed(x.(float64)-nearness), printed(x.(float64)+nearness)
	if low == high {
		return low
	}
	return low + "|" + high
}

// printed has two digits that count, four after the point at most.
func printed(p float64) string {
	switch {
	case p < 0.0001:
		return "<0.0001"
	case p < 0.001:
		return fmt.Sprintf("%.4f", p)
	case p < 0.1:
		return fmt.Sprintf("%.3f", p)
	default:
		return fmt.Sprintf("%.2f", p)
	}
}

// shortText is a difference in the table of strategies, where noise has no number.
func shortText(c facts) []string {
	list := []string{signed(c["delta"]), signed(c["low"]), signed(c["high"]), probability(c["p"])}
	if c["verdict"] == "~" {
		return list[1:]
	}
	return list
}

func differenceText(c facts) []string {
	return []string{signed(c["delta"]), signed(c["low"]), signed(c["high"]), probability(c["p"]), count(c, "n")}
}

func part(k facts, of, all string) []string {
	if k[all] == 0.0 {
		return nil
	}
	return []string{count(k, of), fmt.Sprintf("%.1f", 100*k[of].(float64)/k[all].(float64))}
}

// checkCSV wants every cell that holds a number to be the number recomputed,
// with every digit.
func checkCSV(t *testing.T, f facts, report results.Report) {
	t.Helper()
	var text bytes.Buffer
	check(t, results.WriteCSV(&text, report))
	records, err := csv.NewReader(&text).ReadAll()
	check(t, err)
	trials := f["trials"].([]any)
	if len(records) != len(trials)+1 {
		t.Fatalf("%d lines for %d trials", len(records), len(trials))
	}
	cells := 0
	for i, record := range records[1:] {
		for k, name := range records[0] {
			want, known := cellOf(trials[i].(facts), name)
			if !known {
				t.Errorf("column %q: nothing recomputes it", name)
			}
			if record[k] != want {
				t.Errorf("trial %d, %s: %q, recomputed %q", i, name, record[k], want)
			}
			cells++
		}
	}
	if cells < 300 {
		t.Errorf("only %d cells", cells)
	}
}

// cellOf is what a trial has in a column.
func cellOf(x facts, name string) (string, bool) {
	digits := func(v any) string {
		switch v := v.(type) {
		case float64:
			return strconv.FormatFloat(v, 'g', -1, 64)
		case string:
			return v
		}
		return ""
	}
	if v, ok := x[name]; ok {
		return digits(v), true
	}
	if what, ok := strings.CutSuffix(name, " seconds"); ok {
		return digits(x["seconds"].(facts)[strings.ReplaceAll(what, " ", "_")]), true
	}
	if parent, ok := strings.CutPrefix(name, "weight "); ok {
		return weightCell(x, parent, digits), true
	}
	split, what, ok := strings.Cut(name, "/")
	if !ok {
		split, what, ok = strings.Cut(name, " ")
	}
	s, scored := x["scores"].(facts)[split].(facts)
	switch {
	case !ok || !slices.Contains([]string{"search", "selection", "test"}, split):
		return "", false
	case !scored:
		return "", true
	case strings.Contains(name, "/"):
		return digits(s["categories"].(facts)[what].(facts)["mean"]), true
	case what == "unmeasured":
		sum := s["failed"].(float64)
		for _, more := range []string{"timeout", "missing"} {
			if n, ok := s[more].(float64); ok {
				sum += n
			}
		}
		return digits(sum), true
	}
	v, ok := s[what]
	return digits(v), ok
}

// weightCell is PARENT, or GROUP/PARENT.
func weightCell(x facts, parent string, digits func(any) string) string {
	by, ok := x["weights"].(facts)
	if group, name, grouped := strings.Cut(parent, "/"); grouped {
		parent = name
		for _, g := range x["groups"].([]any) {
			if g.(facts)["name"] == group {
				by, ok = g.(facts)["weights"].(facts), true
			}
		}
	}
	switch {
	case !ok:
		return ""
	case by[parent] == nil:
		return "0"
	}
	return digits(by[parent])
}
