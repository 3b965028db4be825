package export

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"

	"soup/internal/origin"
	"soup/merge"
	"soup/results"
)

//go:embed card.md.tmpl
var cardText embed.FS

// card writes the README.md of an exported soup, with the header that Hugging
// Face reads (https://huggingface.co/docs/hub/model-cards). Nothing in it says
// where on this machine anything lies. Scores are points, 100 times the mean.
func (e *exporting) card(store merge.DType) ([]byte, error) {
	t, err := template.New("card.md.tmpl").Funcs(template.FuncMap{
		"plain": plain, "points": results.Points, "signed": results.Signed, "p": results.Probability, "join": strings.Join, "number": number,
	}).ParseFS(cardText, "card.md.tmpl")
	if err != nil {
		return nil, err
	}
	c, err := e.cardOf(store)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = t.Execute(&text, &c)
	return text.Bytes(), err
}

// card is what a model card says.
type card struct {
	Title, Front string
	Library      string // that reads it, as Hugging Face calls it
	Study        string
	Seed         uint64
	Trial        results.TrialReport
	Winner       bool
	Candidates   int
	Optimism     *float64

	Split    string // that Score is of; "" if the trial was not scored
	Score    *results.Score
	Single   string // the best single checkpoint; "" where it is the trial itself
	SingleIs *float64
	Against  *results.Comparison
	Rows     []cardRow
	Better   []string // categories
	Worse    []string
	Uncalled int // categories with no verdict

	Columns  []string // of weights
	Parents  []cardParent
	Licences []string
	Common   origin.Licence
	First    string // the parent whose configuration and tokenizer it has
	Store    string
	Settings []results.Setting
	Version  string
	Record   string // the recipe's file
	Weights  string // what to name for the soup itself, beside the card
}

// cardRow is a category.
type cardRow struct {
	Category string
	Soup     results.CategoryScore
	Single   *float64
	Delta    *results.Difference
}

// cardParent is a parent of the soup.
type cardParent struct {
	Name, Hash string
	Weights    []string
	Licence    origin.Licence
}

// cardOf gathers what there is to say.
func (e *exporting) cardOf(store merge.DType) (card, error) {
	shown := e.report.Trials[e.trial.Number]
	library, weights := "transformers", "."
	if filepath.Ext(e.Out) == ".gguf" {
		library, weights = "gguf", filepath.Base(e.Out)
	}
	c := card{
		Library: library, Weights: weights,
		Title: strings.TrimSuffix(filepath.Base(filepath.Clean(e.Out)), ".gguf"),
		Study: e.study.About.Name, Seed: e.study.About.Seed, Trial: shown, Candidates: e.report.Candidates, Optimism: e.report.Optimism,
		Winner: e.report.Winner != nil && e.report.Winner.Trial == e.trial.Number,
		First:  e.names[0], Store: cmp.Or(store.Torch(), "the parents' own dtype"), Settings: e.settings(),
		Version: cmp.Or(e.Version, "development"), Record: filepath.Base(merge.RecordPath(e.Out)),
	}
	e.addParents(&c)
	e.addScores(&c)
	front, err := c.front(e.study.Parents)
	c.Front = front
	return c, err
}

// settings are what the scores depend on, less what is said elsewhere.
func (e *exporting) settings() (list []results.Setting) {
	for _, s := range e.study.About.Settings {
		if !slices.Contains([]string{"store", "batch"}, s.Name) && s.Value != "null" {
			list = append(list, results.Setting{Name: s.Name, Value: strings.ReplaceAll(s.Value, "`", "'")})
		}
	}
	return list
}

// maxColumns is how many groups have a column of weights each; of more, each
// parent has the least and the largest.
const maxColumns = 8

func (e *exporting) addParents(c *card) {
	rows := e.trial.Weights
	switch {
	case len(rows) == 1:
		c.Columns = []string{"weight"}
	case len(rows) > maxColumns:
		c.Columns = []string{fmt.Sprintf("least weight in %d groups", len(rows)), "largest"}
	default:
		for _, g := range e.trial.Groups {
			c.Columns = append(c.Columns, "weight, "+g)
		}
	}
	var names []string
	var licences []origin.Licence
	for k, p := range e.study.Parents {
		var column []float64
		for _, row := range rows {
			column = append(column, row[k])
		}
		if !slices.ContainsFunc(column, func(w float64) bool { return w != 0 }) {
			continue
		}
		if len(rows) > maxColumns {
			column = []float64{slices.Min(column), slices.Max(column)}
		}
		parent := cardParent{Name: p.Name, Hash: p.Hash, Licence: origin.LicenceOf(p.Path)}
		for _, w := range column {
			parent.Weights = append(parent.Weights, number(w))
		}
		c.Parents, names, licences = append(c.Parents, parent), append(names, p.Name), append(licences, parent.Licence)
	}
	c.Common, c.Licences = origin.Common(licences), origin.Conflicts(names, licences)
}

// addScores takes the test split, or the last one before it that was answered.
func (e *exporting) addScores(c *card) {
	scores := c.Trial.Scores
	switch {
	case scores.Test != nil:
		c.Split, c.Score = results.Test, scores.Test
	case scores.Selection != nil:
		c.Split, c.Score = results.Selection, scores.Selection
	case scores.Search != nil:
		c.Split, c.Score = results.Search, scores.Search
	default:
		return
	}
	c.Against = e.againstSingle()
	single := e.singleScores(c)
	if single != nil {
		c.SingleIs = single.Mean
	}
	for _, name := range slices.Sorted(maps.Keys(c.Score.Categories)) {
		row := cardRow{Category: name, Soup: c.Score.Categories[name]}
		if single != nil {
			row.Single = single.Categories[name].Mean
		}
		if c.Against != nil {
			c.judge(&row)
		}
		c.Rows = append(c.Rows, row)
	}
}

// againstSingle is the comparison with the best single checkpoint on test, nil if
// none was made.
func (e *exporting) againstSingle() *results.Comparison {
	for _, s := range e.report.Strategies {
		if s.Trial == e.trial.Of && s.AgainstBestSingle != nil {
			return s.AgainstBestSingle
		}
	}
	return nil
}

// singleScores are those of the best single checkpoint on the card's split.
func (e *exporting) singleScores(c *card) *results.Score {
	for _, s := range e.report.Strategies {
		if s.Strategy == "single" && s.Trial != e.trial.Of {
			c.Single = s.Label
			return map[string]*results.Score{results.Test: s.Scores.Test, results.Selection: s.Scores.Selection, results.Search: s.Scores.Search}[c.Split]
		}
	}
	return nil
}

// judge adds the paired difference of a category.
func (c *card) judge(row *cardRow) {
	for _, d := range c.Against.Categories {
		if d.Category != row.Category {
			continue
		}
		row.Delta = &d.Difference
		switch d.Verdict {
		case results.Better:
			c.Better = append(c.Better, d.Category)
		case results.Worse:
			c.Worse = append(c.Worse, d.Category)
		default:
			c.Uncalled++
		}
	}
}

// Found is strategy and label, unless the label says both.
func (c *card) Found() string {
	if strings.HasPrefix(c.Trial.Label, c.Trial.Strategy) {
		return plain(c.Trial.Label)
	}
	return plain(c.Trial.Strategy) + ": " + plain(c.Trial.Label)
}

// Made says what it is.
func (c *card) Made() string {
	if len(c.Parents) == 1 {
		return fmt.Sprintf("The checkpoint %s alone, chosen", plain(c.Parents[0].Name))
	}
	return fmt.Sprintf("A weighted average of %d checkpoints, found", len(c.Parents))
}

// Outcome is the answer in one sentence.
func (c *card) Outcome() string {
	switch {
	case c.Split == "":
		return "This candidate was not scored to the end."
	case c.Single == "":
		return "It is the best single checkpoint itself."
	case c.Against == nil:
		return "It was not set against the best single checkpoint on test."
	case c.Against.Verdict == results.Better:
		return fmt.Sprintf("On test it is better than the best single checkpoint, %s, by %s points.", plain(c.Single), results.Points(c.Against.Delta))
	case c.Against.Verdict == results.Worse:
		return fmt.Sprintf("On test it is worse than the best single checkpoint, %s, by %s points.", plain(c.Single), results.Points(-c.Against.Delta))
	}
	return fmt.Sprintf("On test it cannot be told from the best single checkpoint, %s.", plain(c.Single))
}

// front is the header. A licence is named where all parents have the same one.
func (c *card) front(parents []results.Parent) (string, error) {
	header := yaml.MapSlice{}
	add := func(key string, value any) { header = append(header, yaml.MapItem{Key: key, Value: value}) }
	if c.Common.ID != "" {
		add("license", c.Common.ID)
		if c.Common.ID == "other" && c.Common.Name != "" {
			add("license_name", slug(c.Common.Name))
		}
		if c.Common.Link != "" {
			add("license_link", c.Common.Link)
		}
	}
	add("library_name", c.Library)
	add("pipeline_tag", "text-generation")
	add("tags", []string{"merge", "soup"})
	var models []string
	for _, p := range parents {
		if slices.ContainsFunc(c.Parents, func(x cardParent) bool { return x.Name == p.Name }) {
			models = append(models, hubName(p))
		}
	}
	add("base_model", models)
	add("base_model_relation", "merge")
	if results := c.index(); len(results) > 0 {
		add("model-index", []yaml.MapSlice{{{Key: "name", Value: c.Title}, {Key: "results", Value: results}}})
	}
	text, err := yaml.Marshal(header)
	return string(text), err
}

// index are the scores as Hugging Face lists them
// (https://github.com/huggingface/hub-docs/blob/main/modelcard.md).
func (c *card) index() (list []yaml.MapSlice) {
	for _, row := range c.Rows {
		if row.Soup.Mean == nil {
			continue
		}
		list = append(list, yaml.MapSlice{
			{Key: "task", Value: yaml.MapSlice{{Key: "type", Value: "text-generation"}}},
			{Key: "dataset", Value: yaml.MapSlice{
				{Key: "name", Value: row.Category}, {Key: "type", Value: slug(row.Category)}, {Key: "split", Value: c.Split},
			}},
			{Key: "metrics", Value: []yaml.MapSlice{{
				{Key: "type", Value: "score"}, {Key: "name", Value: "mean item score"}, {Key: "value", Value: *row.Soup.Mean}, {Key: "verified", Value: false},
			}}},
		})
	}
	return list
}

var cached = regexp.MustCompile(`(?:^|/)models--([^/]+?)--([^/]+)/snapshots/`)

// hubName is a parent's name on Hugging Face, where its path is one of their
// cache (https://huggingface.co/docs/huggingface_hub/guides/manage-cache);
// otherwise the study's name for it, in letters that a name there may have.
func hubName(p results.Parent) string {
	if m := cached.FindStringSubmatch(filepath.ToSlash(p.Path)); m != nil {
		return m[1] + "/" + m[2]
	}
	return slug(p.Name)
}

var foreign = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// slug keeps what a name on Hugging Face may have.
func slug(name string) string {
	return cmp.Or(strings.Trim(foreign.ReplaceAllString(name, "-"), "-."), "unnamed")
}

// plain keeps a name from breaking a line or a table of Markdown.
func plain(name string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "[", `\[`, "`", "'").Replace(oneLine(name))
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
