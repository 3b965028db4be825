package results

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counting is a score that tells outcomes apart.
func counting(outcomes []Outcome) Score {
	s := Score{Categories: map[string]CategoryScore{}}
	sum := 0.0
	for _, o := range outcomes {
		c := s.Categories[o.Category]
		if o.Scored() {
			sum += o.Score
			s.N++
			c.N++
		} else {
			s.Failed++
			c.Failed++
		}
		s.Categories[o.Category] = c
	}
	if s.N > 0 {
		mean := sum / float64(s.N) / 3 // a number that decimals do not hold
		s.Mean, s.SE = &mean, ptr(mean*mean)
	}
	return s
}

func readScores(t testing.TB, l *Ledger, compute func([]Outcome) Score) map[int]Scores {
	t.Helper()
	scores, err := l.Scores(t.Context(), compute)
	must(t, err)
	return scores
}

func outcome(item, category string, score float64) Outcome {
	return Outcome{Item: item, Category: category, State: OK, Score: score}
}

func TestScores(t *testing.T) {
	l := begun(t)
	for trial := range 3 {
		must(t, l.Start(candidate(trial)))
	}
	must(t, l.Record(0, Search, []Outcome{outcome("i", "a", 1), outcome("j", "b", .1)}))
	must(t, l.Record(0, Test, []Outcome{outcome("k", "a", .75)}))
	must(t, l.Record(1, Search, []Outcome{{Item: "i", Category: "a", State: Failed}}))
	want := readScores(t, l, counting) // computed
	if len(want) != 2 || want[0].Search.N != 2 || want[0].Selection != nil || *want[0].Test.Mean != .25 || want[1].Search.Mean != nil {
		t.Fatalf("%+v", want)
	}
	must(t, l.UpdateScores(t.Context(), counting))
	never := func([]Outcome) Score {
		t.Error("computed again")
		return Score{}
	}
	if diff := cmp.Diff(want, readScores(t, l, never)); diff != "" {
		t.Errorf("kept scores differ (-computed +kept):\n%s", diff)
	}
	must(t, l.UpdateScores(t.Context(), never))
	must(t, l.Record(0, Search, []Outcome{outcome("i", "a", 1)})) // nothing new
	must(t, l.UpdateScores(t.Context(), never))

	must(t, l.Record(1, Search, []Outcome{outcome("i", "a", .75)})) // measured after all
	if got := readScores(t, l, counting)[1].Search; got.N != 1 || got.Failed != 0 || *got.Mean != .25 {
		t.Errorf("after a second try: %+v", got)
	}
	if n, err := l.Answered(); err != nil || n != 4 {
		t.Errorf("%d answered, error %v; want 4", n, err)
	}
}

// Whatever is recorded and however often scores are brought up to date: kept
// and computed scores are the same.
func TestKeptScoresAreThoseOfTheOutcomes(t *testing.T) {
	l := begun(t)
	for trial := range 2 {
		must(t, l.Start(candidate(trial)))
	}
	random := rand.New(rand.NewPCG(1, 2))
	splits := []string{Search, Selection, Test}
	for step := range 60 {
		if step%6 == 5 {
			must(t, l.UpdateScores(t.Context(), counting))
		}
		split := splits[random.IntN(3)]
		o := outcome(fmt.Sprint(split, random.IntN(4)), "c", random.Float64())
		if random.IntN(2) == 0 {
			o = Outcome{Item: o.Item, Category: "c", State: Failed}
		}
		must(t, l.Record(random.IntN(2), split, []Outcome{o}))
	}
	got := readScores(t, l, counting)
	alter(t, l.Dir(), `UPDATE scores SET current = 0`)
	if diff := cmp.Diff(readScores(t, l, counting), got); diff != "" {
		t.Errorf("(-computed +kept):\n%s", diff)
	}
}

// A reader takes a ledger of the format before as it is; a writer marks what is
// to be computed.
func TestScoresOfOldLedger(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	downgrade(t, dir)
	r, err := OpenReadOnly(dir)
	must(t, err)
	want := readScores(t, r, counting)
	if len(want) != 1 || want[0].Search.N != 1 {
		t.Errorf("%+v", want)
	}
	if n, err := r.Answered(); err != nil || n != 1 {
		t.Errorf("%d answered, error %v; want 1", n, err)
	}
	checkAndClose(t, r)
	l, err := Open(dir)
	must(t, err)
	must(t, l.UpdateScores(t.Context(), counting))
	if diff := cmp.Diff(want, readScores(t, l, nil)); diff != "" {
		t.Errorf("(-before +after migration):\n%s", diff)
	}
	checkAndClose(t, l)
}

// downgrade makes a ledger one of format 2.
func downgrade(t *testing.T, dir string) {
	t.Helper()
	alter(t, dir, `DROP TABLE labels; DROP TABLE category_scores; DROP TABLE scores; PRAGMA user_version = 2`)
}

func TestScoresOfDamagedLedger(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	l, err := OpenReadOnly(dir)
	must(t, err)
	refuses(t, l, l.UpdateScores(t.Context(), counting), "opened for reading only")
	must(t, l.Close())
	for _, statement := range []string{`DROP TABLE scores`, `DROP TABLE category_scores`} {
		alter(t, dir, statement)
		l, err := OpenReadOnly(dir)
		must(t, err)
		if _, err := l.Scores(t.Context(), counting); err == nil {
			t.Errorf("%s in %s: no error", statement, filepath.Base(dir))
		}
		must(t, l.Close())
	}
}
