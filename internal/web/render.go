package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"soup/results"
)

// pieces are the parts of the page in their order: templates of these names.
var pieces = []string{"head", "trouble", "report", "best", "chart", "numbers", "workers", "strategies", "failures", "happenings"}

func templates() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"points": points, "signed": signed, "count": count, "plural": plural, "bytes": bytesize, "spell": spell, "probability": results.Probability,
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"upper": func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	}).ParseFS(embedded, "assets/*.html")
}

// render makes the parts of the page, and the rows of the table of trials.
func (s *Site) render(v view) (parts, rows []part, err error) {
	for _, name := range pieces {
		html, err := s.fill(name, v)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part{name: name, html: html})
	}
	if v.Study.Name == "" {
		return parts, nil, nil
	}
	for _, t := range v.table() {
		html, err := s.fill("trial", t)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, part{name: fmt.Sprintf("trial-%d", t.Number), html: html})
	}
	return parts, rows, nil
}

func (s *Site) fill(name string, data any) (string, error) {
	var text bytes.Buffer
	if err := s.templates.ExecuteTemplate(&text, name, data); err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	return text.String(), nil
}

// whole is a page with everything that there is at a moment.
type whole struct {
	Title string
	Parts map[string]template.HTML // were escaped when they were rendered
	Rows  []template.HTML
	Most  int // rows
	ID    string
}

func (s *Site) renderPage(w io.Writer) error {
	parts, rows, id := s.hub.page()
	p := whole{Title: s.title.Load().(string), Parts: map[string]template.HTML{}, Most: shownTrials, ID: id}
	for _, x := range parts {
		p.Parts[x.name] = template.HTML(x.html)
	}
	for _, x := range rows {
		p.Rows = append(p.Rows, template.HTML(x.html))
	}
	return s.templates.ExecuteTemplate(w, "page", p)
}
