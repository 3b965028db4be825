package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"soup/internal/study"
	"soup/results"
)

// Without the script the page has everything and asks for itself again.
func TestPageNeedsNoScript(t *testing.T) {
	w := begun(t, "night")
	w.phase("search", 0)
	w.phase("search", 10)
	w.complete(0, "single", .5)
	w.complete(1, "random", .75)
	w.fail(2, "server gone", "gone")
	must(t, w.Event("warning", "stale weights"))
	must(t, w.Event("waiting", "the server"))
	must(t, w.Start(candidate(3, "random")))
	s := serve(t, Options{Dir: w.Dir()})
	_, text := s.get(t, "/")
	for _, want := range []string{
		"<noscript><meta http-equiv=\"refresh\"", "<h1>night</h1>", `<span class="badge search">search</span>`, `<progress value="3" max="10"`,
		"waiting for the server", "<strong>75.0</strong>", "Trial 1, random 1; &#43;25.0 against the best single checkpoint, single 0",
		"A search score is optimistic", `<th>right</th><td class="n">0.750</td>`, "search scores of 2 candidates", "embedded v1",
		`<tr id="trial-3"><td class="n">3</td>`, "warning: stale weights", "server gone", `<span class="mark">gone</span>`, "<dd>4</dd>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir()})
	status, text := s.raw(t, "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if status != http.StatusOK || strings.Contains(text, "<html") {
		t.Errorf("%d %q", status, text)
	}
}

// A study that ends shows its report; the JSON is that of soup report --json.
func TestFinishedStudyShowsItsReport(t *testing.T) {
	w := begun(t, "night")
	w.complete(0, "single", 0)
	w.complete(1, "random", 1)
	for number, score := range []float64{0, 1} {
		var outcomes []results.Outcome
		for i := range 40 {
			outcomes = append(outcomes, results.Outcome{Item: fmt.Sprint("test", i), Category: "arith", State: results.OK, Score: score})
		}
		must(t, w.Record(number, results.Test, outcomes))
	}
	s := serve(t, Options{Dir: w.Dir()})
	if answer, text := s.get(t, "/api/report.json"); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "not finished") {
		t.Errorf("while it runs: %s %s", answer.Status, text)
	}
	v := s.watch(t, "")
	must(t, w.SetWinner(results.Winner{Trial: 1, Path: "winner", SHA256: "ab"}))
	w.phase("finished", 0)
	m := v.until(says("report", "verdict"))
	for _, want := range []string{"The winner is better than the best single checkpoint, single 0, by 100.0 points.", `class="verdict better">better`, "Trial 1, random 1, exported to"} {
		if !strings.Contains(m.Parts["report"], want) {
			t.Errorf("the report lacks %s:\n%s", want, m.Parts["report"])
		}
	}
	_, got := s.get(t, "/api/report.json")
	report, err := study.BuildReport(t.Context(), w.Dir())
	must(t, err)
	var want bytes.Buffer
	must(t, results.WriteJSON(&want, report))
	if got != want.String() {
		t.Errorf("report.json differs:\n%s", got)
	}
	w.phase("search", 0) // it goes on, with a larger budget
	v.until(says("head", `badge search`))
	if _, text := s.get(t, "/"); strings.Contains(text, "Result on test") {
		t.Error("the old report is still there")
	}
}

// A study that cannot be read is shown as it was, and what is wrong.
func TestTroubleIsShownAndPasses(t *testing.T) {
	w := begun(t, "night")
	w.complete(0, "single", .5)
	s := serve(t, Options{Dir: w.Dir()})
	v := s.watch(t, "")
	v.next()
	away := w.Dir() + "-away"
	must(t, os.Rename(w.Dir(), away))
	v.until(says("trouble", "the study is gone"))
	if answer, _ := s.get(t, "/healthz"); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("health: %s", answer.Status)
	}
	if _, text := s.get(t, "/"); !strings.Contains(text, "<h1>night</h1>") {
		t.Error("what was known is not shown")
	}
	must(t, os.Rename(away, w.Dir()))
	v.until(func(m message) bool { p, sent := m.Parts["trouble"]; return sent && p == "" })
	if answer, _ := s.get(t, "/healthz"); answer.StatusCode != http.StatusOK {
		t.Errorf("health: %s", answer.Status)
	}
}

func TestMetrics(t *testing.T) {
	w := begun(t, "night")
	w.phase("search", 5)
	w.complete(0, "single", .5)
	w.complete(1, "random", .75)
	w.fail(2, "no memory", "out of memory")
	must(t, w.Event("server-use", map[string]float64{"busy": 3, "wall": 4}))
	must(t, w.Event("swap", map[string]any{"key": "key0"}))
	s := serve(t, Options{Dir: w.Dir()})
	_, text := s.get(t, "/metrics")
	for _, want := range []string{
		`soup_study_info{seed="3",server="embedded v1",study="night"} 1`, `soup_study_phase{phase="search"} 1`, `soup_study_phase{phase="test"} 0`,
		`soup_study_running 1`, `soup_trials{state="complete",strategy="single"} 1`, `soup_trials{state="failed",strategy="random"} 1`,
		`soup_trial_failures{kind="out of memory"} 1`, `soup_items_total{state="ok"} 4`, `soup_best_search_score_ratio 0.75`,
		`soup_seconds_total{kind="eval"} 1`, `soup_swaps_total 1`, `soup_server_idle_ratio 0.25`, `soup_candidates_expected 5`, `soup_candidates_done 3`,
		"# TYPE soup_items_total counter", "# TYPE soup_trials gauge",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	problems, err := testutil.GatherAndLint(s.registry)
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A page does not grow with the study: ten thousand trials are no more to send
// than a few hundred.
func TestPageOfALargeStudyIsSmall(t *testing.T) {
	dir := largeLedger(t, 10_000)
	s := serve(t, Options{Dir: dir})
	v := s.watch(t, "")
	m, _ := v.next()
	for strings.Contains(m.Parts["head"], "Reading the ledger") || m.Parts["head"] == "" {
		m, _ = v.next()
	}
	_, text := s.get(t, "/")
	if len(text) > 100_000 || !strings.Contains(text, "search scores of 10,000 candidates") || strings.Count(text, "<tr id=") != shownTrials {
		t.Errorf("%d bytes of page, %d rows", len(text), strings.Count(text, "<tr id="))
	}
}

// largeLedger writes a ledger of trials of one item each.
func largeLedger(t *testing.T, trials int) string {
	t.Helper()
	dir := t.TempDir()
	l, err := results.Open(dir)
	must(t, err)
	must(t, l.Begin(results.Study{Name: "large"}, []results.Parent{{Name: "x", Hash: "1"}}))
	must(t, l.Close())
	fill(t, filepath.Join(dir, results.File), trials)
	return dir
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		points(-.0001): "0.0", points(.81849): "81.8", signed(.0125): "+1.3", signed(-.5): "−50.0", count(12345): "12,345", plural(1, "item"): "1 item",
		plural(1200, "item"): "1,200 items", roughly(0): "", roughly(30 * time.Second): "less than a minute", roughly(150 * time.Second): "about 3 minutes",
		roughly(32 * time.Minute): "about 30 minutes", roughly(3 * time.Hour): "about 3.0 hours", roughly(72 * time.Hour): "about 3 days",
		spell(0): "0 s", spell(.0699): "0.07 s", spell(65): "1 min 05 s", spell(7260): "2 h 01 min", short(1500): "1500", short(45_000): "45k", short(2.5e6): "2.5M",
		bytesize(-1): "0 B",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAssets(t *testing.T) {
	for _, name := range []string{"style.css", "script.js", "icon.svg"} {
		if len(asset(name)) == 0 {
			t.Errorf("no %s", name)
		}
	}
	if _, err := json.Marshal(message{}); err != nil {
		t.Error(err)
	}
}
