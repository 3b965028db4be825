package main

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"soup/internal/study"
)

// Every command line in the README, the user guide, the Makefile and the
// commands' own examples is one that soup understands: command, options and
// number of arguments. (TestGuide runs the guide's.)
func TestDocumentedCommandsParse(t *testing.T) {
	files := []string{"../../README.md", "../../Makefile"}
	for _, page := range guidePages(t) {
		files = append(files, filepath.Join(guideFolder, page))
	}
	found := map[string][]string{}
	for _, file := range files {
		found[file] = commandLines(readFile(t, file))
	}
	for c := range commands(newRoot()) {
		found[c.CommandPath()] = commandLines(c.Example)
	}
	n := 0
	for where, lines := range found {
		n += len(lines)
		for _, line := range lines {
			if err := parse(line); err != nil {
				t.Errorf("%s: soup %s: %v", where, line, err)
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d commands were found", n)
	}
}

// documented is a command line behind a prompt or indented, or between backticks.
var documented = regexp.MustCompile("(?m)^(?:\\$ |[ \t]+)(?:[A-Z_]+=\\S+ )?(?:bin/)?soup ([^|\n]*)|`soup ([a-z][^`\n]*)`")

// commandLines returns what follows soup, without comments.
func commandLines(text string) (lines []string) {
	for _, m := range documented.FindAllStringSubmatch(text, -1) {
		line, _, _ := strings.Cut(m[1]+m[2], " #")
		line, _, _ = strings.Cut(line, " > ")
		if !strings.Contains(line, " ") && m[2] != "" {
			continue // the command's name in a sentence
		}
		lines = append(lines, strings.NewReplacer("[", "", "]", "").Replace(strings.TrimSpace(line)))
	}
	return lines
}

// commands are a command's subcommands, and theirs, which have something to do.
func commands(root *cobra.Command) iter.Seq[*cobra.Command] {
	return func(yield func(*cobra.Command) bool) {
		for _, c := range root.Commands() {
			if c.Runnable() && !yield(c) {
				return
			}
			for sub := range commands(c) {
				if !yield(sub) {
					return
				}
			}
		}
	}
}

func parse(line string) error {
	root := newRoot()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(strings.Fields(line))
	if err != nil {
		return err
	}
	if !cmd.HasParent() {
		return errors.New("no such command")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.Args == nil {
		return nil
	}
	return cmd.Args(cmd, cmd.Flags().Args())
}

// Every command has an example of its own, except for those without options and
// arguments.
func TestCommandsHaveExamples(t *testing.T) {
	n := 0
	for c := range commands(newRoot()) {
		n++
		if c.Name() != "version" && !strings.Contains(c.Example, "  "+c.CommandPath()) {
			t.Errorf("%s has no example", c.CommandPath())
		}
	}
	if n < 12 {
		t.Errorf("only %d commands were found", n)
	}
}

// Help fits a terminal of 80 columns.
func TestHelpIsNarrow(t *testing.T) {
	paths := []string{"soup", "soup help study"}
	for c := range commands(newRoot()) {
		paths = append(paths, c.CommandPath())
	}
	for _, path := range paths {
		root, help := newRoot(), bytes.Buffer{}
		root.SetOut(&help)
		args := strings.Fields(path)[1:]
		if !slices.Contains(args, "help") {
			args = append(args, "--help")
		}
		root.SetArgs(args)
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns in %q", path, n, line)
			}
		}
		if help.Len() < 100 {
			t.Errorf("%s: no help", path)
		}
	}
}

// Study files that the README and the guide show are read without a complaint;
// parts of one are, each key by itself, with the rest added.
func TestDocumentedStudyFiles(t *testing.T) {
	const rest = "parents: [{path: a}]\nbenchmarks: [{file: b}]\n"
	n, file := 0, filepath.Join(t.TempDir(), "night.yaml")
	for _, page := range append(guidePages(t), "../../README.md") {
		for _, b := range blocks(readFile(t, filepath.Join(guideFolder, page))) {
			if b.lang != "yaml" {
				continue
			}
			files := []string{b.text}
			if !strings.Contains(b.text, "parents:") {
				files = nil
				for _, key := range regexp.MustCompile(`(?m)^[a-z].*\n(?:[ #].*\n)*`).FindAllString(b.text, -1) {
					files = append(files, rest+key)
				}
			}
			for _, text := range files {
				n++
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := study.ReadConfig(file); err != nil {
					t.Errorf("%s: %v", page, err)
				}
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d study files were found", n)
	}
}
