//go:build scale

package study

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // fills the ledger in bulk

	"soup/eval"
	"soup/results"
)

// The environment of make bench-report.
const (
	scaleTrials = "SOUP_SCALE_TRIALS" // default 1000
	scaleFolder = "SOUP_SCALE_DIR"    // is kept, and used again if it is there; default a temporary one
)

const scaleItems = 2000 // a third of them in each split

// BenchmarkReport reports on a study of many trials: the text, then the page.
func BenchmarkReport(b *testing.B) {
	dir := largeStudy(b)
	b.Run("text", func(b *testing.B) {
		for b.Loop() {
			r, err := BuildReport(b.Context(), dir)
			if err == nil {
				err = results.WriteText(io.Discard, r)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("html", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "report.html")
		for b.Loop() {
			if err := WritePage(b.Context(), dir, file); err != nil {
				b.Fatal(err)
			}
		}
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB/page")
	})
}

// largeStudy returns the folder of a finished study of many trials.
func largeStudy(b *testing.B) string {
	b.Helper()
	dir, trials := os.Getenv(scaleFolder), 1000
	if dir == "" {
		dir = b.TempDir()
	}
	if text := os.Getenv(scaleTrials); text != "" {
		var err error
		if trials, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	if exists(filepath.Join(dir, results.File)) {
		return dir
	}
	l, err := results.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	beginLarge(b, l, dir)
	startLarge(b, l)
	fillLarge(b, dir, trials)
	if err := l.UpdateScores(b.Context(), scoring(nil)); err != nil {
		b.Fatal(err)
	}
	if err := l.Event(choiceEvent, chosenFrom{Trials: []int{7, 8, 387, 484, 506, 603, 700, 797, 894, 991}}); err != nil {
		b.Fatal(err)
	}
	if err := l.SetWinner(results.Winner{Trial: 7, Path: "winner"}); err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func largeItem(i int) eval.Item {
	category := fmt.Sprint("category-", i%8)
	return eval.Item{
		ID: fmt.Sprintf("item-%04d", i), Benchmark: category, Category: category, Metric: "exact",
		Split:  []eval.Split{eval.InSearch, eval.InSelection, eval.InTest}[i%3],
		Prompt: strings.Repeat("What is the next word of this sentence? ", 10), Answer: fmt.Sprint("answer ", i),
	}
}

// beginLarge writes the items into a data file and begins the study.
func beginLarge(b *testing.B, l *results.Ledger, dir string) {
	b.Helper()
	var text strings.Builder
	var items []eval.Item
	for i := range scaleItems {
		line, err := json.Marshal(largeItem(i))
		if err != nil {
			b.Fatal(err)
		}
		items = append(items, largeItem(i))
		fmt.Fprintf(&text, "%s\n", line)
	}
	if err := os.WriteFile(filepath.Join(dir, "items.jsonl"), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		b.Fatal(err)
	}
	var parents []results.Parent
	config := "study: large\nbenchmarks: [{name: items, file: " + filepath.Join(dir, "items.jsonl") + "}]\nparents:\n"
	for i := range 8 {
		parents = append(parents, results.Parent{Name: fmt.Sprint("parent-", i), Path: fmt.Sprint("/parents/", i), Hash: fmt.Sprint(i)})
		config += fmt.Sprintf("  - {path: /parents/%d}\n", i)
	}
	about := results.Study{Name: "large", Seed: 1, Config: config, Settings: []results.Setting{
		{Name: itemsSetting, Value: short(set.Hash())}, {Name: objectiveSetting, Value: "null"},
	}}
	if err := l.Begin(about, parents); err != nil {
		b.Fatal(err)
	}
}

// startLarge records the first trial, with which the items become known.
func startLarge(b *testing.B, l *results.Ledger) {
	b.Helper()
	if err := l.Start(results.Trial{Number: 0, Strategy: singleStrategy, Label: "parent-0", Key: "0", Weights: [][]float64{{1, 0, 0, 0, 0, 0, 0, 0}}}); err != nil {
		b.Fatal(err)
	}
	for s, split := range []string{results.Search, results.Selection, results.Test} {
		var outcomes []results.Outcome
		for i := s; i < scaleItems; i += 3 {
			it := largeItem(i)
			outcomes = append(outcomes, results.Outcome{Item: it.ID, Category: it.Category, State: results.OK, Score: float64(i % 2), Answer: it.Answer, Finish: "stop"})
		}
		if err := l.Record(0, split, outcomes); err != nil {
			b.Fatal(err)
		}
	}
}

// fillLarge writes the other trials and their outcomes past the ledger, which
// would take a transaction for each.
func fillLarge(b *testing.B, dir string, trials int) {
	b.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, results.File)+"?_pragma=synchronous(0)&_pragma=busy_timeout(60000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(fmt.Sprintf(`
		CREATE TEMP TABLE n AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d) SELECT x FROM n;
		INSERT INTO trials SELECT x, iif(x < 8, 'single', iif(x = 8, 'uniform', iif(x < %d / 2, 'random', 'cmaes'))), 'candidate ' || x, x,
			iif(x < 8, '[[' || rtrim(substr('0,0,0,0,0,0,0,', 1, 2 * x) || '1,' || substr('0,0,0,0,0,0,0,', 1, 2 * (7 - x)), ',') || ']]',
				format('[[%%.3f,%%.3f,0.1,0.1,0.1,0.1,0.1,0.1]]', (x %% 400) / 1000.0, 0.4 - (x %% 400) / 1000.0)),
			'null', 'complete', x, '', 0.1, 0.2, 5.5, 1, 'then', 'now', 0.1, '' FROM n;
		UPDATE trials SET state = 'complete', finished = 'now' WHERE number = 0;
		INSERT INTO outcomes SELECT x, i.number, 'ok', ((x * 7919 + i.number * 104729) %% 1000 < 500 + x %% 97) * 1.0, -0.5, 'answer ' || (i.number + x %% 3),
			'stop', '', 5000000, '' FROM n CROSS JOIN items i;
		INSERT INTO scores (trial, split, current) SELECT x, s.split, 0 FROM n CROSS JOIN (SELECT DISTINCT split FROM items) s`, trials-1, trials))
	if err != nil {
		b.Fatal(err)
	}
}
