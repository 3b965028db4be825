package page

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"soup/results"
)

// data is what the page's script works on. It is in columns, since a page may
// hold thousands of trials and items.
type data struct {
	Parents    []string       `json:"parents"`
	Categories []string       `json:"categories"`
	Winner     int            `json:"winner"` // trial, -1 if none
	Trials     []trial        `json:"trials"`
	Items      items          `json:"items"`
	Shown      []answers      `json:"shown"`
	Marks      map[int]string `json:"marks"`
	MarkOf     string         `json:"mark_of"` // the alphabet of marks
	Singles    []int          `json:"singles"` // trials of single checkpoints
	Charts     []chart        `json:"charts"`
}

type trial struct {
	Number    int       `json:"number"`
	Strategy  string    `json:"strategy"`
	Label     string    `json:"label"`
	State     string    `json:"state"`
	Of        int       `json:"of"`
	Reason    string    `json:"reason,omitempty"`
	Groups    []string  `json:"groups,omitempty"`
	Weights   [][]short `json:"weights"` // one row a group, one number a parent
	Search    *score    `json:"search,omitempty"`
	Selection *score    `json:"selection,omitempty"`
	Test      *score    `json:"test,omitempty"`
	Seconds   short     `json:"seconds"`
}

type score struct {
	Mean       *short   `json:"mean"`
	SE         *short   `json:"se"`
	N          int      `json:"n"`
	Lost       int      `json:"lost,omitempty"` // not measured
	Cut        int      `json:"cut,omitempty"`  // truncated
	Categories []*short `json:"categories"`
}

type items struct {
	ID       []string `json:"id"`
	Category []int    `json:"category"` // index
	Split    []string `json:"split"`
	Prompt   []string `json:"prompt,omitempty"`
	Expected []string `json:"expected,omitempty"`
}

type answers struct {
	Name  string   `json:"name"`
	Label string   `json:"label"`
	Trial int      `json:"trial"`
	Text  []string `json:"text"`
	Marks string   `json:"marks"`
}

// short is a number with six digits: more than the page shows.
type short float64

func (s short) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'g', 6, 64), nil
}

func shortened(x *float64) *short {
	if x == nil {
		return nil
	}
	s := short(*x)
	return &s
}

// The alphabet of marks: what is not asked, not measured, and scores in sixtieths, of
// which halves, thirds, quarters, fifths and sixths are whole.
const (
	notAsked    = '-'
	notMeasured = '!'
	levels      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
)

// Mark is an item's score in one character. Only a score of 1 has the last, only 0
// the first.
func (a Answer) Mark() byte {
	switch a.State {
	case "":
		return notAsked
	case results.OK, results.Truncated:
	default:
		return notMeasured
	}
	top := len(levels) - 1
	if a.Score <= 0 || a.Score >= 1 {
		return levels[int(max(0, min(1, a.Score)))*top]
	}
	return levels[max(1, min(top-1, int(math.Round(a.Score*float64(top)))))]
}

// Marks are those of a list.
func Marks(list []Answer) string {
	marks := make([]byte, len(list))
	for i, a := range list {
		marks[i] = a.Mark()
	}
	return string(marks)
}

// encode returns the data as JSON that is safe within a script element:
// encoding/json escapes <, >, & and the two line separators of JavaScript.
func encode(s Study) ([]byte, error) {
	d := data{
		Parents: s.Parents, Categories: categories(s), Winner: -1, Marks: s.Marks, MarkOf: levels,
		Trials: make([]trial, len(s.Trials)), Shown: make([]answers, len(s.Shown)), Singles: []int{},
	}
	if s.Winner != nil {
		d.Winner = s.Winner.Trial
	}
	for i, t := range s.Trials {
		d.Trials[i] = newTrial(t, s.Parents, d.Categories)
		if t.Strategy == "single" && t.State == results.Complete {
			d.Singles = append(d.Singles, t.Number)
		}
	}
	d.Items = newItems(s, d.Categories)
	for i, a := range s.Shown {
		d.Shown[i] = answers{Name: a.Name, Label: a.Label, Trial: a.Trial, Marks: Marks(a.List), Text: make([]string, len(a.List))}
		for k, x := range a.List {
			d.Shown[i].Text[k] = x.Text
		}
	}
	d.Charts = drawings(s, d.Categories)
	return json.Marshal(d)
}

func newItems(s Study, categories []string) items {
	var list items
	for _, it := range s.Items {
		at, _ := slices.BinarySearch(categories, it.Category)
		list.ID = append(list.ID, it.ID)
		list.Category = append(list.Category, at)
		list.Split = append(list.Split, it.Split)
		if s.Without == "" {
			list.Prompt = append(list.Prompt, it.Prompt)
			list.Expected = append(list.Expected, it.Expected)
		}
	}
	return list
}

func newTrial(t results.TrialReport, parents, categories []string) trial {
	out := trial{
		Number: t.Number, Strategy: t.Strategy, Label: t.Label, State: t.State, Of: t.Of, Seconds: short(t.Seconds.Total()),
		Reason: strings.TrimSpace(t.Reason), Search: newScore(t.Scores.Search, categories),
		Selection: newScore(t.Scores.Selection, categories), Test: newScore(t.Scores.Test, categories),
	}
	row := func(byParent map[string]float64) {
		weights := make([]short, len(parents))
		for i, p := range parents {
			weights[i] = short(byParent[p])
		}
		out.Weights = append(out.Weights, weights)
	}
	if t.Groups == nil {
		row(t.ByParent)
	}
	for _, g := range t.Groups {
		out.Groups = append(out.Groups, g.Name)
		row(g.ByParent)
	}
	return out
}

func newScore(s *results.Score, categories []string) *score {
	if s == nil {
		return nil
	}
	out := &score{
		Mean: shortened(s.Mean), SE: shortened(s.SE), N: s.N, Lost: s.Failed + s.Timeout + s.Missing, Cut: s.Truncated,
		Categories: make([]*short, len(categories)),
	}
	for i, name := range categories {
		out.Categories[i] = shortened(s.Categories[name].Mean)
	}
	return out
}

// categories are all that a trial or an item has, sorted.
func categories(s Study) []string {
	known := map[string]bool{}
	for _, it := range s.Items {
		known[it.Category] = true
	}
	for _, t := range s.Trials {
		for _, score := range []*results.Score{t.Scores.Search, t.Scores.Selection, t.Scores.Test} {
			if score == nil {
				continue
			}
			for name := range score.Categories {
				known[name] = true
			}
		}
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
