package eval

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sum(id string) Item {
	return Item{ID: id, Category: "sum", Metric: "number", Prompt: "1+1", Answer: "2"}
}

func TestItemValidate(t *testing.T) {
	check := func(change func(*Item), parts ...string) {
		t.Helper()
		it := sum("x-1")
		change(&it)
		err := it.Validate()
		if len(parts) == 0 && err != nil {
			t.Errorf("valid item refused: %v", err)
		}
		if len(parts) > 0 {
			wantError(t, err, parts...)
		}
	}
	check(func(*Item) {})
	check(func(it *Item) { it.Prompt, it.Raw = "", "1+1=" })
	check(func(it *Item) { it.Prompt, it.Messages = "", []Message{{"user", "1+1"}} })
	check(func(it *Item) { it.System = "add" })
	check(func(it *Item) { it.ID = "" }, `"id" is missing`)
	check(func(it *Item) { it.Split = "train" }, "x-1", "train", "search, selection, test")
	check(func(it *Item) { it.MaxTokens = -1 }, "x-1", "max_tokens -1")
	check(func(it *Item) { it.Prompt = "" }, "x-1", `"prompt" is missing`)
	check(func(it *Item) { it.Raw = "1+1=" }, "x-1", "prompt, messages, raw")
	check(func(it *Item) { it.Prompt, it.Raw, it.System = "", "1+1=", "add" }, "system", "raw")
	check(func(it *Item) { it.Prompt, it.Messages = "", []Message{{"tool", "1+1"}} }, `role "tool"`)
	check(func(it *Item) {
		it.Prompt, it.System, it.Messages = "", "add", []Message{{"system", "add"}, {"user", "1+1"}}
	}, "two system turns")
	check(func(it *Item) { it.Metric = "" }, `"metric" is missing`)
	check(func(it *Item) { it.Metric = "wer" }, "x-1", `"wer"`, strings.Join(MetricNames(), ", "))
	check(func(it *Item) { it.Answer = "" }, "x-1", "metric number", `"answer" is missing`)
}

func TestItemRequest(t *testing.T) {
	it := sum("x")
	it.System, it.MaxTokens, it.Stop = "add", 5, []string{"\n"}
	want := Request{Messages: []Message{{"system", "add"}, {"user", "1+1"}}, MaxTokens: 5, Stop: []string{"\n"}}
	if diff := cmp.Diff(want, it.Request()); diff != "" {
		t.Error(diff)
	}
	it = Item{Raw: "1+1="}
	if diff := cmp.Diff(Request{Raw: "1+1="}, it.Request()); diff != "" {
		t.Error(diff)
	}
}

// The first hex digits are those that `printf %s KEY | sha256sum` prints.
func TestSplitOf(t *testing.T) {
	check := func(key string, want Split) {
		t.Helper()
		if got := SplitOf(key); got != want {
			t.Errorf("SplitOf(%q) = %s, want %s", key, got, want)
		}
	}
	check("abc", InSelection) // ba78...
	check("", InTest)         // e3b0...
	check("a", InTest)        // ca97...
	check("b", InSearch)      // 3e23...
	counts := map[Split]int{}
	for i := range 10_000 {
		counts[SplitOf(fmt.Sprint("item-", i))]++
	}
	for split, want := range map[Split]int{InSearch: 5000, InSelection: 2500, InTest: 2500} {
		if d := counts[split] - want; d < -150 || d > 150 {
			t.Errorf("%s has %d of 10000 items, want about %d", split, counts[split], want)
		}
	}
}

func TestAssignedKeepsClustersTogether(t *testing.T) {
	for i := range 50 {
		it := sum(fmt.Sprint("item-", i))
		it.Cluster = "passage"
		if it.Assigned() != SplitOf("passage") {
			t.Fatalf("item %s left its cluster", it.ID)
		}
		it.Split = InSelection
		if it.Assigned() != InSelection {
			t.Fatal("a named split was not kept")
		}
	}
}

func ids(items []Item) string {
	var all []string
	for _, it := range items {
		all = append(all, it.ID)
	}
	return strings.Join(all, " ")
}

func TestInterleave(t *testing.T) {
	var items []Item
	for _, name := range strings.Fields("b1 b2 a1 c1 c2 c3 a2") {
		items = append(items, Item{ID: name, Category: name[:1]})
	}
	if got, want := ids(Interleave(items)), "a1 b1 c1 a2 b2 c2 c3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInterleaveIsEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		categories := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 60).Draw(t, "categories")
		var items []Item
		total := map[string]int{}
		for i, c := range categories {
			items = append(items, Item{ID: fmt.Sprint(i), Category: c})
			total[c]++
		}
		seen, last := map[string]int{}, map[string]string{}
		for _, it := range Interleave(items) {
			seen[it.Category]++
			for other, n := range seen {
				if n+1 < seen[it.Category] && n < total[other] {
					t.Fatalf("%s is %d items ahead of %s", it.Category, seen[it.Category]-n, other)
				}
			}
			if prev := last[it.Category]; len(prev) > len(it.ID) || len(prev) == len(it.ID) && prev >= it.ID {
				t.Fatalf("category %s is not in the order of the file", it.Category)
			}
			last[it.Category] = it.ID
		}
		for c, n := range total {
			if seen[c] != n {
				t.Fatalf("%d of %d items of %s", seen[c], n, c)
			}
		}
	})
}

func TestNewSet(t *testing.T) {
	var items []Item
	for i := range 40 {
		items = append(items, sum(fmt.Sprint("n", i)))
	}
	set, err := NewSet(items)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(set.Search) + len(set.Selection) + len(set.Test); n != 40 {
		t.Errorf("%d of 40 items", n)
	}
	for _, split := range splits {
		part, err := set.Items(split)
		if err != nil || len(part) == 0 {
			t.Errorf("split %s: %d items, error %v", split, len(part), err)
		}
		for _, it := range part {
			if it.Split != split {
				t.Errorf("item %s of split %s lies in %s", it.ID, it.Split, split)
			}
		}
	}
	_, err = set.Items("train")
	wantError(t, err, "train", "search, selection, test")
}

func TestNewSetErrors(t *testing.T) {
	check := func(items []Item, parts ...string) {
		t.Helper()
		_, err := NewSet(items)
		wantError(t, err, parts...)
	}
	check([]Item{{ID: "x"}}, "x", "prompt")
	twice := sum("x")
	twice.Benchmark = "one"
	check([]Item{twice, twice}, `"x"`, "twice", "one")
	a, b := sum("a"), sum("b")
	a.Cluster, b.Cluster = "p", "p"
	a.Split, b.Split = InSearch, InTest
	check([]Item{a, b}, `cluster "p"`, "search", `"a"`, "test", `"b"`)
	b.Benchmark = "other" // another benchmark's cluster of the same name
	if _, err := NewSet([]Item{a, b}); err != nil {
		t.Error(err)
	}
}

func TestSetHash(t *testing.T) {
	items := []Item{sum("a"), sum("b"), sum("c")}
	hash := func(change func([]Item)) string {
		changed := slices.Clone(items)
		change(changed)
		set, err := NewSet(changed)
		if err != nil {
			t.Fatal(err)
		}
		return set.Hash()
	}
	want := hash(func([]Item) {})
	if len(want) != 64 || hash(func([]Item) {}) != want {
		t.Errorf("hash %q does not repeat", want)
	}
	seen := map[string]bool{want: true}
	for name, change := range map[string]func([]Item){
		"prompt": func(i []Item) { i[0].Prompt = "2+2" },
		"answer": func(i []Item) { i[1].Answer = "3" },
		"split": func(i []Item) {
			i[2].Split = map[Split]Split{InSearch: InTest, InTest: InSearch, InSelection: InTest}[i[2].Assigned()]
		},
		"order":  func(i []Item) { i[0].Split, i[1].Split, i[2].Split = InTest, InTest, InTest; i[0], i[1] = i[1], i[0] },
		"tokens": func(i []Item) { i[0].MaxTokens = 7 },
		"truth":  func(i []Item) { i[0].GroundTruth = json.RawMessage("[1]") },
	} {
		if h := hash(change); seen[h] {
			t.Errorf("a change of %s does not change the hash", name)
		} else {
			seen[h] = true
		}
	}
	spaced := hash(func(i []Item) { i[0].GroundTruth = json.RawMessage(" [ 1 ] ") })
	if !seen[spaced] {
		t.Error("white space in JSON changes the hash")
	}
}
