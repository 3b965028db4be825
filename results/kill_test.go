package results

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 1, "seed of the moments of TestKill")

const (
	killTrials  = 60
	killBatches = 4
	killBatch   = 25
)

// child goes on with a fixed piece of work and says on stdout what is done, as
// a run would to its user.
func child(dir string) int {
	l, err := Open(dir)
	if err == nil {
		err = work(l, func(trial, batch int) { fmt.Println(trial, batch) })
	}
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// work is what soup run does to a ledger: every third trial is cached.
func work(l *Ledger, done func(trial, batch int)) error {
	if err := l.Begin(someStudy()); err != nil {
		return err
	}
	trials, err := l.Trials()
	if err != nil {
		return err
	}
	for number := range killTrials {
		c := candidate(number)
		if number < len(trials) {
			if trials[number].State != Running {
				continue
			}
			c.Attempt = trials[number].Attempt + 1
		}
		if err := workOn(l, c, done); err != nil {
			return err
		}
	}
	return l.SetWinner(Winner{Trial: 0})
}

func workOn(l *Ledger, c Trial, done func(trial, batch int)) error {
	if c.Number%3 == 2 {
		c.State, c.Of = Cached, c.Number-1
		return l.Finish(c)
	}
	if err := l.Start(c); err != nil {
		return err
	}
	for b := range killBatches {
		if err := l.Record(c.Number, Search, batch(c.Number, b)); err != nil {
			return err
		}
		done(c.Number, b)
	}
	c.State = Complete
	return l.Finish(c)
}

// batch is what a deterministic server answers.
func batch(trial, number int) []Outcome {
	outcomes := make([]Outcome, killBatch)
	for i := range outcomes {
		item := number*killBatch + i
		outcomes[i] = Outcome{
			Item: fmt.Sprintf("item-%03d", item), Category: "c", State: OK, Score: float64((trial*7 + item) % 2),
			Soft: ptr(-float64(item) / 3), Answer: fmt.Sprintf("answer %d", trial*1000+item), Finish: "stop",
		}
	}
	return outcomes
}

// TestKill kills a writer again and again. After each kill at most the batch
// in flight may be missing; in the end the ledger is that of an unbroken run.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(*seed, 0))
	last := -1 // batches known to be recorded, less one
	for kill := range 10 {
		batches := 3 + rng.IntN(12)
		pause := time.Duration(rng.IntN(2000)) * time.Microsecond
		if reported := runAndKill(t, dir, batches, pause); reported > last {
			last = reported
		}
		have := wholeBatches(t, dir)
		if have < last+1 {
			t.Fatalf("kill %d (-seed %d): %d batches are recorded, the writer had reported %d", kill, *seed, have, last+1)
		}
		last = have - 1
	}
	if last <= 10 || last >= killTrials*2/3*killBatches-1 {
		t.Fatalf("the kills fell outside the work: %d batches", last+1)
	}

	broken, unbroken := open(t, dir), open(t, t.TempDir())
	must(t, work(broken, func(int, int) {}))
	must(t, work(unbroken, func(int, int) {}))
	equalLedgers(t, broken, unbroken)
}

// runAndKill returns the number of the last batch that the child reported.
func runAndKill(t *testing.T, dir string, batches int, pause time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SOUP_TEST_LEDGER="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	last := -1
	report := func() {
		var trial, number int
		_, err := fmt.Sscan(lines.Text(), &trial, &number)
		must(t, err)
		last = (trial/3*2+trial%3)*killBatches + number
	}
	for range batches {
		if !lines.Scan() {
			break
		}
		report()
	}
	time.Sleep(pause)
	must(t, cmd.Process.Kill())
	for lines.Scan() { // what it said before it died counts
		report()
	}
	_, _ = io.Copy(io.Discard, stdout)
	_ = cmd.Wait() // killed: an error by design
	return last
}

// wholeBatches counts the recorded batches, each of which must be whole.
func wholeBatches(t *testing.T, dir string) int {
	t.Helper()
	l, err := Open(dir)
	must(t, err)
	defer checkAndClose(t, l)
	trials, err := l.Trials()
	must(t, err)
	batches := 0
	for _, c := range trials {
		if c.State == Cached {
			continue
		}
		outcomes, err := l.Outcomes(c.Number, Search)
		must(t, err)
		var want []Outcome
		for b := range len(outcomes) / killBatch {
			want = append(want, batch(c.Number, b)...)
		}
		for i := range want {
			want[i].Split = Search
		}
		if !reflect.DeepEqual(outcomes, want) {
			t.Fatalf("trial %d: a batch is torn, doubled or changed: %d outcomes", c.Number, len(outcomes))
		}
		if c.State == Complete && len(outcomes) != killBatches*killBatch {
			t.Fatalf("trial %d is complete with %d outcomes", c.Number, len(outcomes))
		}
		batches += len(outcomes) / killBatch
	}
	return batches
}

// equalLedgers compares all but times and attempts.
func equalLedgers(t *testing.T, a, b *Ledger) {
	t.Helper()
	for _, query := range []string{
		`SELECT number || strategy || label || key || weights || groups || state || of || reason FROM trials ORDER BY number`,
		`SELECT number || item || category || cluster || split FROM items ORDER BY number`,
		`SELECT trial || ' ' || item || state || score || ifnull(soft, '') || answer || finish || error FROM outcomes ORDER BY trial, item`,
		`SELECT trial || path || sha256 || reason FROM winner`,
		`SELECT name || seed || config FROM study`,
	} {
		x, err := texts(a.db, query)
		must(t, err)
		y, err := texts(b.db, query)
		must(t, err)
		if len(x) == 0 || !reflect.DeepEqual(x, y) {
			t.Errorf("%s: %d and %d rows differ", query, len(x), len(y))
		}
	}
}
