package study

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"soup/eval"
	"soup/search"
)

// The user guide names every key of the study file, every strategy with its
// options, and every metric.
func TestGuideIsComplete(t *testing.T) {
	pages, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	guide := ""
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		guide += string(text)
	}
	var names []string
	for i := range reflect.TypeFor[Config]().NumField() {
		f := reflect.TypeFor[Config]().Field(i)
		if tag := f.Tag.Get("yaml"); tag != "-" {
			names = append(names, tag)
		}
	}
	for _, name := range search.Names() {
		names = append(names, name)
		for _, p := range search.Parameters(name) {
			names = append(names, p.Name)
		}
	}
	names = append(names, eval.MetricNames()...)
	if len(names) < 25 {
		t.Errorf("only %d names to look for", len(names))
	}
	for _, name := range names {
		if !strings.Contains(guide, "`"+name+"`") {
			t.Errorf("docs/guide does not name `%s`", name)
		}
	}
}
