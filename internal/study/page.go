package study

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"soup/eval"
	"soup/internal/usage"
	"soup/results"
	"soup/results/page"
)

// What a page holds at most, so that a browser opens it at once: further
// candidates are without the scores of single items, and texts are cut.
const (
	pageMarks = 400_000  // item scores of candidates whose answers are not shown
	pageText  = 10 << 20 // bytes of prompts and answers
)

// WritePage writes the report of a study's folder as one HTML file. A file that
// is there is replaced only if it is such a report.
func WritePage(ctx context.Context, dir, file string) error {
	if err := mayReplace(file); err != nil {
		return err
	}
	ledger, err := openForReading(dir)
	if err != nil {
		return err
	}
	defer ledger.Close()
	b, err := newReporter(dir, ledger)
	if err != nil {
		return err
	}
	s, err := b.page(ctx)
	if err != nil {
		return err
	}
	return writePage(file, s)
}

// mayReplace refuses a file that is not a report of soup.
func mayReplace(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return err
	}
	if !bytes.Contains(head, []byte(page.Signature)) {
		return &usage.Error{Message: file + ": is there already and is not a report of soup", Advice: "remove it, or name another file"}
	}
	return nil
}

func writePage(file string, s page.Study) error {
	out, err := renameio.NewPendingFile(file, renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer func() { _ = out.Cleanup() }() // what was written is in place by then, or not wanted
	w := bufio.NewWriter(out)
	if err := errors.Join(page.Write(w, s), w.Flush()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return out.CloseAtomicallyReplace()
}

// page collects what the page shows beside the report.
func (b *reporter) page(ctx context.Context) (page.Study, error) {
	report, err := b.build(ctx)
	if err != nil {
		return page.Study{}, err
	}
	s := page.Study{Report: report, Marks: map[int]string{}}
	list := itemList{at: map[string]int{}}
	for _, shown := range b.shown() {
		answers, err := b.answers(&list, shown.Trial)
		if err != nil {
			return s, err
		}
		shown.List = answers
		s.Shown = append(s.Shown, shown)
	}
	for i := range s.Shown { // items that a later one brought
		s.Shown[i].List = append(s.Shown[i].List, make([]page.Answer, len(list.items)-len(s.Shown[i].List))...)
	}
	if err := b.addMarks(ctx, &s, &list); err != nil {
		return s, err
	}
	s.Items = list.items
	b.addPrompts(&s)
	clip(&s, pageText)
	return s, nil
}

// shown are the candidates whose answers can be read, each once.
func (b *reporter) shown() []page.Answers {
	var list []page.Answers
	add := func(name string, t results.TrialReport) {
		if !slices.ContainsFunc(list, func(a page.Answers) bool { return a.Trial == t.Of }) {
			list = append(list, page.Answers{Name: name, Label: t.Label, Trial: t.Of})
		}
	}
	if b.winner != nil {
		add("winner", b.byNumber[b.winner.Trial])
	}
	for _, row := range []struct{ strategy, name string }{{"single", "best single"}, {"uniform", "uniform"}, {baseStrategy, "base"}} {
		if best, _ := b.bestOf(row.strategy); best != nil {
			add(row.name, *best)
		}
	}
	return list
}

// itemList is the items that were seen so far.
type itemList struct {
	items []page.Item
	at    map[string]int
}

// place is where an outcome's item stands.
func (l *itemList) place(o results.Outcome) int {
	at, ok := l.at[o.Item]
	if !ok {
		at = len(l.items)
		l.at[o.Item] = at
		l.items = append(l.items, page.Item{ID: o.Item, Category: o.Category, Split: o.Split})
	}
	return at
}

// answers are those of a trial to the items of the list, which grows by what is
// not in it.
func (b *reporter) answers(l *itemList, trial int) ([]page.Answer, error) {
	outcomes, err := b.ledger.Outcomes(trial, "")
	if err != nil {
		return nil, err
	}
	list := make([]page.Answer, len(l.items), len(l.items)+len(outcomes))
	for _, o := range outcomes {
		at := l.place(o)
		list = append(list, make([]page.Answer, max(0, at+1-len(list)))...)
		list[at] = page.Answer{Text: o.Answer, Score: o.Score, State: o.State}
		if !o.Scored() {
			list[at].Text = o.Error
		}
	}
	return list, nil
}

// addMarks adds the item scores of further candidates, as many as the page may
// hold: those that were scored on test, then the best on search.
func (b *reporter) addMarks(ctx context.Context, s *page.Study, l *itemList) error {
	room := pageMarks
	for _, t := range b.byPromise(s) {
		if room -= len(l.items); room < 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		list := make([]page.Answer, len(l.items))
		err := b.ledger.ItemScores(t.Number, func(item, state string, score float64) {
			if at, known := l.at[item]; known {
				list[at] = page.Answer{Score: score, State: state}
			}
		})
		if err != nil {
			return err
		}
		s.Marks[t.Number] = page.Marks(list)
	}
	return nil
}

// byPromise are the candidates that have outcomes and are not shown: first those
// on test, then by search score.
func (b *reporter) byPromise(s *page.Study) []results.TrialReport {
	var list []results.TrialReport
	for _, t := range s.Trials {
		shown := slices.ContainsFunc(s.Shown, func(a page.Answers) bool { return a.Trial == t.Number })
		if t.State == results.Complete && searchMean(t) != nil && !shown {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(x, y results.TrialReport) int {
		switch tested, other := x.Scores.Test != nil, y.Scores.Test != nil; {
		case tested && !other, tested == other && *searchMean(x) > *searchMean(y):
			return -1
		case other && !tested, *searchMean(x) < *searchMean(y):
			return 1
		}
		return 0
	})
	return list
}

// addPrompts reads the study's data files again. Where they are gone or have
// changed, the page says so and shows answers only.
func (b *reporter) addPrompts(s *page.Study) {
	set, err := b.items()
	if err != nil {
		s.Without = "Prompts are not shown: the items could not be read again: " + oneLine(err.Error())
		return
	}
	of := map[string]eval.Item{}
	for _, part := range [][]eval.Item{set.Search, set.Selection, set.Test} {
		for _, it := range part {
			of[it.ID] = it
		}
	}
	for i := range s.Items {
		it := of[s.Items[i].ID]
		s.Items[i].Prompt, s.Items[i].Expected = promptOf(it), expectedOf(it)
	}
}

func (b *reporter) items() (eval.Set, error) {
	r, err := recorded(b.dir, b.ledger)
	if err != nil {
		return eval.Set{}, err
	}
	return r.Items("")
}

// promptOf is what a person must read to judge the answer.
func promptOf(it eval.Item) string {
	var parts []string
	if it.System != "" {
		parts = append(parts, "system: "+it.System)
	}
	for _, m := range it.Messages {
		parts = append(parts, fmt.Sprintf("%s: %s", m.Role, m.Content))
	}
	if text := it.Prompt + it.Raw; text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

func expectedOf(it eval.Item) string {
	parts := it.Answers
	if it.Answer != "" {
		parts = append([]string{it.Answer}, parts...)
	}
	if len(parts) == 0 && len(it.GroundTruth) > 0 {
		parts = []string{string(it.GroundTruth)}
	}
	if len(parts) == 0 && it.Pattern != "" {
		parts = []string{it.Pattern}
	}
	return strings.Join(parts, "\n")
}

// clip cuts long texts so that all together keep to the limit.
func clip(s *page.Study, limit int) {
	each := func(f func(*string)) {
		for i := range s.Items {
			f(&s.Items[i].Prompt)
			f(&s.Items[i].Expected)
		}
		for _, a := range s.Shown {
			for i := range a.List {
				f(&a.List[i].Text)
			}
		}
	}
	for most := 8000; ; most /= 2 {
		total := 0
		each(func(text *string) { total += min(len(*text), most) })
		if total > limit && most > 100 {
			continue
		}
		each(func(text *string) {
			if len(*text) > most {
				*text = fmt.Sprintf("%s… [cut: %d bytes in all]", strings.ToValidUTF8((*text)[:most], ""), len(*text))
			}
		})
		return
	}
}
