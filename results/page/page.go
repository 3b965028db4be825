// Package page writes the report of a study as one HTML file that needs nothing
// else: no network, no other file. docs/html.md says how, and what keeps names
// and answers from doing harm.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"soup/results"
)

// Study is what the page shows.
type Study struct {
	results.Report
	Items []Item
	// Shown are the candidates whose answers can be read: the winner, the best
	// single checkpoint, the base, the uniform soup, as far as there are such.
	Shown []Answers
	// Marks are the item scores of further candidates by trial; see Mark. They may
	// be of some candidates only.
	Marks map[int]string
	// Without says why there are no prompts; empty if there are.
	Without string
}

// Item is one item of the study.
type Item struct {
	ID, Category, Split string
	Prompt, Expected    string // empty where the data file could not be read
}

// Answers are those of one candidate.
type Answers struct {
	Name  string // what it is: winner, best single, base, uniform
	Label string // of the trial
	Trial int
	List  []Answer // one an item
}

// Answer is what a candidate said to one item.
type Answer struct {
	Text  string
	Score float64 // 0 to 1; only if measured
	State string  // as of results.Outcome; empty if the item was not asked
}

//go:embed assets
var assets embed.FS

// Signature is in the head of every page, so that a report can be told from a
// file of the user's.
const Signature = `<meta name="generator" content="soup report">`

// document is what the template is given.
type document struct {
	view
	Signature template.HTML
	Policy    string // Content-Security-Policy
	Style     template.CSS
	Library   template.JS // ECharts
	Script    template.JS
	Data      template.JS
}

// Write writes the page. Equal studies give equal bytes.
func Write(w io.Writer, s Study) error {
	data, err := encode(s)
	if err != nil {
		return fmt.Errorf("page of %s: %w", s.Study, err)
	}
	d := document{view: newView(s), Signature: Signature, Data: template.JS(data)} // escaped by encoding/json
	var style, library, script string
	for name, to := range map[string]*string{"page.css": &style, "echarts.min.js": &library, "page.js": &script} {
		if *to, err = asset(name); err != nil {
			return err
		}
	}
	d.Style, d.Library, d.Script = template.CSS(style), template.JS(library), template.JS(script) // our own files
	d.Policy = fmt.Sprintf("default-src 'none'; script-src %s %s; style-src %s; base-uri 'none'; form-action 'none'",
		source(library), source(script), source(style))
	text, err := asset("page.html")
	if err != nil {
		return err
	}
	layout, err := template.New("page").Parse(text)
	if err != nil {
		return err
	}
	return layout.Execute(w, d)
}

func asset(name string) (string, error) {
	raw, err := assets.ReadFile("assets/" + name)
	return string(raw), err
}

// source allows a script or a style by its content, and no other.
func source(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
