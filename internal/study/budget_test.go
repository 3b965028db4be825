package study

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"soup/internal/serve"
	"soup/results"
)

func TestBudgetMistakes(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		err := parseInto(&Config{File: "x.yaml"}, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	check("budget: {trials: -1}", "x.yaml:1:10: budget: trials cannot be negative")
	check("budget:\n  items: 5\n  tokens: -5", "x.yaml:3:3: budget: tokens cannot be negative")
	check("budget: {time: -5m}", "x.yaml:1:10: budget: time cannot be negative")
	check("budget: {rate: .nan}", "x.yaml:1:10: budget: rate cannot be negative")
	check("budget: {trials: 9, cost: 12.5}", "x.yaml:1:21: budget: cost needs rate")
	check("budget: {money: 3}", `x.yaml:1:10: unknown field "money"`)
	check("budget: {items: many}", "x.yaml:1:17: want a whole number here")
	check("racing: {first: 0}", "x.yaml:1:10: racing: first is the number of items")
	check("racing: {first: 50, eta: 1}", "x.yaml:1:21: racing: eta is by how much")
	check("racing: {alpha: 0.9}", "x.yaml:1:10: racing: alpha is the most")
	check("racing: {frist: 50}", `x.yaml:1:10: unknown field "frist"`)
	check("racing: 50", "x.yaml:1:9: ")
	var c Config
	if err := parseInto(&c, "racing: {}\nbudget: {cost: 12.50, rate: 2, time: 90m}"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Racing{First: 50, Eta: 3, Alpha: 0.05}, c.Racing); diff != "" {
		t.Errorf("defaults of racing:\n%s", diff)
	}
	if c.Budget.hours() != 6*time.Hour+15*time.Minute || c.Budget.Time != 90*time.Minute {
		t.Errorf("budget %+v", c.Budget)
	}
}

// Each bound is over all sessions and ends the search at the next candidate.
func TestBudgetIsSpent(t *testing.T) {
	trial := func(number int, state string, seconds float64) results.Trial {
		return results.Trial{Number: number, Of: number, State: state, Merge: seconds / 4, Swap: seconds / 4, Eval: seconds / 2}
	}
	s := &session{config: &Config{}, answered: map[int]int{0: 900, 1: 50, 2: 900}, tokens: map[int]map[string]int{0: {"a": 10, "b": 5}, 1: {"a": 2}, 7: {"a": 1000}}}
	s.trials = []results.Trial{trial(0, results.Complete, 8), trial(1, results.Pruned, 1), {Number: 2, Of: 0, State: results.Cached}, trial(3, results.Failed, 3)}
	if diff := cmp.Diff(consumption{2, 950, 17, 12}, s.consumed(), cmp.AllowUnexported(consumption{})); diff != "" {
		t.Fatal(diff)
	}
	check := func(b Budget, want bool) {
		t.Helper()
		s.config.Budget = b
		if got := s.budgetSpent(); got != want {
			t.Errorf("%s: spent %v", b, got)
		}
	}
	check(Budget{}, false)
	check(Budget{Rate: 2}, false)
	check(Budget{Trials: 2}, true)
	check(Budget{Trials: 3}, false)
	check(Budget{Items: 950}, true)
	check(Budget{Items: 951}, false)
	check(Budget{Tokens: 17}, true)
	check(Budget{Tokens: 18}, false)
	check(Budget{Time: 12 * time.Second}, true)
	check(Budget{Time: 13 * time.Second}, false)
	check(Budget{Cost: 1, Rate: 300}, true)
	check(Budget{Cost: 1, Rate: 299}, false)
	check(Budget{Trials: 3, Items: 951, Tokens: 17}, true)
}

// said runs a study through a fake server and returns its plan and its warnings.
func said(t *testing.T, file string) (plan, warnings string) {
	t.Helper()
	var info bytes.Buffer
	warnings, err := through(t, file, &machine{}, serve.GGUF, func(_ *Config, o *RunOptions) { o.Info = &info })
	if err != nil {
		t.Fatal(err)
	}
	return info.String(), warnings
}

// The plan counts what is certain and what is possible, promises no time before
// something is measured, and knows the rates of earlier sessions.
func TestPlanIsSaid(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 3}}, {auto: {budget: 14}}]\nracing: {first: 10, eta: 2}\n")
	first, warned := said(t, file)
	for _, want := range []string{
		// base, 4 parents, uniform; greedy adds up to 3; random 3; auto asks 5 that are known and up to 9
		"9 to 21 candidates, 6 to 9 of them baselines, are 246 to 756 search items; then",
		"how long that takes is not known before", "the first candidate took", "items a second; by that the search takes",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the plan lacks %q:\n%s", want, first)
		}
	}
	if warned != "" || strings.Contains(first, "cost") || strings.Index(first, "not known") > strings.Index(first, "first candidate took") {
		t.Errorf("%s\n%s", first, warned)
	}
	setText(t, file, "racing:", "budget: {rate: 3600}\nracing:")
	again, _ := said(t, file)
	for _, want := range []string{"candidates are scored already", "and a cost of ", "by their rates the search takes", "; cost "} {
		if !strings.Contains(again, want) {
			t.Errorf("the second plan lacks %q:\n%s", want, again)
		}
	}
	if strings.Contains(again, "not known") || strings.Contains(again, "first candidate") {
		t.Errorf("the second plan:\n%s", again)
	}
}

// Baselines run whatever the budget is; if it does not reach for them, that is said
// before.
func TestBudgetBelowTheBaselines(t *testing.T) {
	for budget, want := range map[string]string{
		"{trials: 3}":              "budget: 3 trials are fewer than the 6 to 9 of the baselines",
		"{items: 100}":             "budget: 100 items are fewer than the 216 of the baselines",
		"{time: 1ms}":              "more than 1ms; they run anyway",
		"{cost: 0.1, rate: 99999}": "more than 4ms; they run anyway",
		"{tokens: 1}":              "",
	} {
		file := smallStudy(t, "strategies: [{random: {budget: 3}}]\nbudget: "+budget+"\n")
		_, warned := said(t, file)
		if !strings.Contains(warned, want) || want == "" && warned != "" {
			t.Errorf("%s: warnings %q", budget, warned)
		}
		k := read(t, DefaultDir(file))
		if n := len(proposals(k.Trials, "random")); n != 0 || len(k.Trials) < 10 {
			t.Errorf("%s: %d trials, %d of random", budget, len(k.Trials), n)
		}
	}
}

// A study that is stopped by items or tokens, with racing, asks the same candidates
// when these are raised.
func TestItemsAndTokensOverSessions(t *testing.T) {
	const strategies = "strategies: [{random: {budget: 16}}, {gp: {budget: 9}}]\n" + hasty
	unbroken := smallStudy(t, strategies)
	calmly(t, unbroken)
	stopped := smallStudy(t, strategies+"budget: {items: 400}\n")
	calmly(t, stopped)
	middle := len(read(t, DefaultDir(stopped)).Trials)
	tokens := fmt.Sprintf("{tokens: %d}", generated(t, DefaultDir(unbroken))*9/10)
	setText(t, stopped, "{items: 400}", tokens)
	calmly(t, stopped)
	later := len(read(t, DefaultDir(stopped)).Trials)
	setText(t, stopped, "budget: "+tokens+"\n", "")
	calmly(t, stopped)
	want, got := read(t, DefaultDir(unbroken)), read(t, DefaultDir(stopped))
	if middle >= later || later >= len(got.Trials) {
		t.Errorf("trials by session: %d, %d, %d", middle, later, len(got.Trials))
	}
	if diff := cmp.Diff(want.Trials, got.Trials); diff != "" {
		t.Errorf("(-unbroken +stopped):\n%s", diff)
	}
}

// generated are the tokens that a study's server generated for search items.
func generated(t *testing.T, dir string) (n int) {
	t.Helper()
	l, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &session{ledger: l, tokens: map[int]map[string]int{}}
	if err := s.readTokens(); err != nil {
		t.Fatal(err)
	}
	for _, batches := range s.tokens {
		for _, tokens := range batches {
			n += tokens
		}
	}
	return n
}

// setText replaces a part of a study file.
func setText(t *testing.T, file, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, replacement, 1)
	if changed == string(text) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}
