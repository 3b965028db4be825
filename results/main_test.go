package results

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain also is the child that TestKill starts and kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SOUP_TEST_LEDGER"); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

// open returns a ledger that is checked and closed after the test.
func open(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkAndClose(t, l) })
	return l
}

func checkAndClose(t testing.TB, l *Ledger) {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// begun returns a ledger that holds a study of two parents.
func begun(t testing.TB) *Ledger {
	t.Helper()
	l := open(t, t.TempDir())
	must(t, l.Begin(someStudy()))
	return l
}

func someStudy() (Study, []Parent) {
	return Study{
		Name: "night-1", Seed: 1<<64 - 1, Config: "study: night-1\n",
		Created:  time.Date(2026, 11, 23, 20, 0, 0, 5, time.UTC),
		Settings: []Setting{{"items", "sha256:aa"}, {"store", "bfloat16"}},
	}, []Parent{{"order", "ckpt/order", "sha256:01"}, {"arith", "ckpt/arith", "sha256:02"}}
}

// candidate is a trial of someStudy.
func candidate(number int) Trial {
	return Trial{
		Number: number, Strategy: "random", Label: "random 1", Key: string(rune('a' + number)),
		Weights: [][]float64{{0.1, 0.9}},
	}
}

// completed records a complete trial.
func completed(t testing.TB, l *Ledger, number int) Trial {
	t.Helper()
	c := candidate(number)
	must(t, l.Start(c))
	c.State = Complete
	must(t, l.Finish(c))
	got, err := l.Trial(number)
	must(t, err)
	return got
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refuses checks an error's whole text, after the ledger's name.
func refuses(t testing.TB, l *Ledger, err error, want string) {
	t.Helper()
	switch want = "ledger " + l.Dir() + ": " + want; {
	case err == nil:
		t.Errorf("no error, want %q", want)
	case err.Error() != want:
		t.Errorf("error %q, want %q", err, want)
	}
}

func ptr[T any](x T) *T { return &x }
