package results

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"testing"
)

func TestWriteCSVGolden(t *testing.T) {
	r := gardenReport()
	r.Trials[1].Weights = Weights{Groups: []GroupWeights{{"early", map[string]float64{"order": .1}}, {"late", map[string]float64{"order": .3}}}}
	r.Trials[3].Label = "a \"quoted\", label\nof two lines"
	path := "trials.csv"
	var text bytes.Buffer
	must(t, WriteCSV(&text, r))
	goldenBytes(t, path, text.Bytes())
}

func TestWriteCSVReadsBack(t *testing.T) {
	r := gardenReport()
	var text bytes.Buffer
	must(t, WriteCSV(&text, r))
	records, err := csv.NewReader(&text).ReadAll()
	must(t, err)
	if len(records) != len(r.Trials)+1 {
		t.Fatalf("%d lines for %d trials", len(records), len(r.Trials))
	}
	cell := func(trial int, name string) string {
		t.Helper()
		i := slices.Index(records[0], name)
		if i < 0 {
			t.Fatalf("no column %q in %q", name, records[0])
		}
		return records[trial+1][i]
	}
	check := func(trial int, name, want string) {
		t.Helper()
		if got := cell(trial, name); got != want {
			t.Errorf("trial %d, %s: %q, want %q", trial, name, got, want)
		}
	}
	if w, err := strconv.ParseFloat(cell(2, "weight quiz"), 64); err != nil || w != 1./3 {
		t.Errorf("weight %v, error %v", w, err)
	}
	check(2, "weight call", "0")
	check(2, "search mean", "0.81841")
	check(2, "search unmeasured", "3")
	check(2, "search truncated", "14")
	check(2, "test/arith", "0.69333")
	check(1, "selection mean", "")
	check(1, "selection n", "")
	check(4, "of", "2")
	check(0, "eval seconds", "1.9")
}

func TestWriteCSVEmpty(t *testing.T) {
	var text bytes.Buffer
	must(t, WriteCSV(&text, Report{}))
	records, err := csv.NewReader(&text).ReadAll()
	must(t, err)
	if len(records) != 1 {
		t.Errorf("got %v", records)
	}
}

func goldenBytes(t *testing.T, name string, text []byte) {
	t.Helper()
	golden(t, name, func(w *bytes.Buffer) error {
		_, err := w.Write(text)
		return err
	})
}
