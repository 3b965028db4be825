package main

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra/doc"
)

var manDir = flag.String("man", "", "folder to write the manual pages to")

// manual returns the manual pages by their files' names. They depend on the
// commands alone: no date, no version.
func manual(t *testing.T) map[string][]byte {
	t.Helper()
	root := newRoot()
	root.DisableAutoGenTag = true
	all := append(slices.Collect(commands(root)), root)
	for _, c := range root.Commands() {
		if c.IsAdditionalHelpTopicCommand() {
			all = append(all, c)
		}
	}
	pages := map[string][]byte{}
	for _, c := range all {
		var page bytes.Buffer
		header := &doc.GenManHeader{Section: "1", Source: "soup", Manual: "soup", Date: &time.Time{}}
		if err := doc.GenMan(c, header, &page); err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		pages[name] = bytes.Replace(page.Bytes(), []byte(`"Jan 0001"`), []byte(`""`), 1)
	}
	return pages
}

// There is a manual page for every command with its options and examples. With
// -man they are written; make docs does so.
func TestManual(t *testing.T) {
	pages := manual(t)
	if !maps.EqualFunc(pages, manual(t), bytes.Equal) {
		t.Error("two manuals differ")
	}
	for c := range commands(newRoot()) {
		page := string(pages[strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"])
		for _, part := range []string{".TH", "NAME", "SYNOPSIS", "OPTIONS", "SEE ALSO"} {
			if !strings.Contains(page, part) {
				t.Errorf("the page of %s has no %s", c.CommandPath(), part)
			}
		}
		if c.Example != "" && !strings.Contains(page, "EXAMPLE") {
			t.Errorf("the page of %s has no example", c.CommandPath())
		}
		if strings.Contains(page, "0001") {
			t.Errorf("the page of %s has a date", c.CommandPath())
		}
	}
	if !strings.Contains(string(pages["soup-study.1"]), "objective.keep.margin") {
		t.Error("no page about the study file")
	}
	if *manDir == "" {
		return
	}
	if err := os.MkdirAll(*manDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(*manDir, name), page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
