package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"soup/internal/study"
)

// Every command line in the README, the user guide, the Makefile and the
// commands' own examples is one that soup understands: command, options and
// number of arguments. (What they do is in testdata.)
func TestDocumentedCommandsParse(t *testing.T) {
	var lines []string
	for _, file := range []string{"../../README.md", "../../docs/guide.md", "../../Makefile"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := commandLines(string(text))
		if len(found) == 0 {
			t.Errorf("%s shows no command", file)
		}
		lines = append(lines, found...)
	}
	for _, c := range newRoot().Commands() {
		lines = append(lines, commandLines(c.Example)...)
	}
	if len(lines) < 15 {
		t.Errorf("only %d commands were found", len(lines))
	}
	for _, line := range lines {
		if err := parse(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

var documented = regexp.MustCompile(`(?m)^\s+(?:bin/)?soup (.*)$`)

// commandLines returns what follows soup on indented lines, comments cut off.
func commandLines(text string) (lines []string) {
	for _, m := range documented.FindAllStringSubmatch(text, -1) {
		line, _, _ := strings.Cut(m[1], "#")
		line = regexp.MustCompile(`\s{3,}.*$`).ReplaceAllString(line, "")
		lines = append(lines, strings.NewReplacer("[", "", "]", "").Replace(strings.TrimSpace(line)))
	}
	return lines
}

func parse(line string) error {
	cmd, rest, err := newRoot().Find(strings.Fields(line))
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.Args == nil {
		return nil
	}
	return cmd.Args(cmd, cmd.Flags().Args())
}

// Every command has an example, except those without arguments.
func TestCommandsHaveExamples(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() != "version" && !strings.Contains(c.Example, "soup "+c.Name()) {
			t.Errorf("soup %s has no example", c.Name())
		}
	}
}

// The study file that the README shows is read without a complaint about its
// keys.
func TestReadmeStudyFile(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "```yaml\n")
	yaml, _, closed := strings.Cut(after, "```")
	if !ok || !closed {
		t.Fatal("the README shows no study file")
	}
	file := t.TempDir() + "/night.yaml"
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := study.ReadConfig(file); err != nil {
		t.Error(err)
	}
}
