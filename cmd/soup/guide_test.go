package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateGuide = flag.Bool("update", false, "write what the guide's commands print into its pages")

// guideFolder holds the pages of the user guide; its index is guide.md beside it.
const guideFolder = "../../docs/guide"

// notRun is how many sessions of a page are marked as not run, each with its
// reason in a comment above it: they need a server, minutes, or files that are not
// in the repository. Their command lines are parsed.
var notRun = map[string]int{
	"README.md":     2,
	"first-soup.md": 1,
	"benchmarks.md": 1,
	"servers.md":    2,
	"watching.md":   1, "many-machines.md": 1,
	"score-tables.md": 1,
	"merging.md":      1,
	"commands.md":     2,
}

// TestGuide runs the sessions of the user guide, page after page in the order of
// the index, in one copy of the garden, with the reader's own shell, and compares
// what they print with what the page shows. In a page a line of "..." stands for
// any lines, and … for what differs from machine to machine.
func TestGuide(t *testing.T) {
	k := kitchen{dir: t.TempDir()}
	if err := os.CopyFS(k.dir, os.DirFS("../../examples/garden")); err != nil {
		t.Fatal(err)
	}
	k.measure(t)
	for _, name := range guidePages(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(guideFolder, name)
			page := readFile(t, path)
			for _, b := range blocks(page) {
				if b.lang == "console" && b.notRun == "" {
					page = strings.Replace(page, b.text, k.follow(t, b), 1)
				}
			}
			if *updateGuide {
				if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// guidePages returns the pages in the order of the index, which names all.
func guidePages(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, m := range regexp.MustCompile(`\(guide/([a-z-]+\.md)\)`).FindAllStringSubmatch(readFile(t, guideFolder+".md"), -1) {
		if !slices.Contains(pages, m[1]) {
			pages = append(pages, m[1])
		}
	}
	there, err := filepath.Glob(filepath.Join(guideFolder, "*"))
	if err != nil || len(there) == 0 {
		t.Fatalf("no pages in %s: %v", guideFolder, err)
	}
	for _, path := range there {
		if !slices.Contains(pages, filepath.Base(path)) {
			t.Errorf("docs/guide.md does not link to %s", filepath.Base(path))
		}
	}
	return pages
}

// block is a fenced block of a page.
type block struct {
	lang, text string
	notRun     string // the reason, in a comment above it
}

var fenced = regexp.MustCompile("(?ms)^(?:<!-- not run: ([^\n]+) -->\n)?```([a-z]*)\n(.*?)^```$")

func blocks(page string) (found []block) {
	for _, m := range fenced.FindAllStringSubmatch(page, -1) {
		found = append(found, block{notRun: m[1], lang: m[2], text: m[3]})
	}
	return found
}

// step is a command line of a session with what it prints.
type step struct{ command, prints string }

// steps divides a session at its prompts. Lines after "> " go on with a command.
func (b block) steps() (s []step) {
	for line := range strings.Lines(b.text) {
		command, prompt := strings.CutPrefix(line, "$ ")
		more, goesOn := strings.CutPrefix(line, "> ")
		switch {
		case prompt:
			s = append(s, step{command: command})
		case len(s) == 0:
			return nil
		case goesOn && s[len(s)-1].prints == "":
			s[len(s)-1].command += more
		default:
			s[len(s)-1].prints += line
		}
	}
	return s
}

// kitchen is the folder in which the guide's commands are run.
type kitchen struct {
	dir string
	// exact says that models answer here as they did for the pages. On another
	// processor, or compiled with other options, the engine's sums end in other
	// bits, and an item now and then is answered otherwise: what depends on answers
	// is run there as well, but its figures are not compared.
	exact bool
}

// engineFile holds a hash of log-probabilities, to all digits, of the engine that
// the pages were written with.
const engineFile = "testdata/guide-engine.sha256"

// scored are commands whose output depends on answers of models.
var scored = regexp.MustCompile(`soup (run|report|eval|compare|analyze|export)\b|--server|\bfirst/|\bbest\b`)

// measure finds out whether the engine here is the pages'.
func (k *kitchen) measure(t *testing.T) {
	t.Helper()
	items := runShell(t, k.dir, "soup eval --quiet --model finetune/arith --data first.jsonl --split search --json --items")
	soft := regexp.MustCompile(`"soft": ?-?[0-9.e-]+`).FindAllString(items, -1)
	if len(soft) < 50 {
		t.Fatalf("only %d log-probabilities", len(soft))
	}
	sum := fmt.Sprintf("%x\n", sha256.Sum256([]byte(strings.Join(soft, "\n"))))
	if *updateGuide {
		if err := os.WriteFile(engineFile, []byte(sum), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if k.exact = sum == readFile(t, engineFile); !k.exact {
		t.Log("the engine's sums end in other bits here than for the pages: figures that depend on answers are not compared")
	}
}

// follow runs a session and returns it with what it really prints.
func (k *kitchen) follow(t *testing.T, b block) string {
	t.Helper()
	var real strings.Builder
	for _, s := range b.steps() {
		printed := runShell(t, k.dir, s.command)
		if !fits(s.prints, printed) {
			switch {
			case *updateGuide:
			case !k.exact && scored.MatchString(s.command):
				t.Logf("$ %sprints other figures here:\n%s", s.command, printed)
			default:
				t.Errorf("$ %sprints something else (-page +run); make guide writes it anew:\n%s", s.command, linesDiff(s.prints, masked(s.prints, printed)))
			}
			s.prints = masked(s.prints, elided(s.prints, printed))
		}
		real.WriteString("$ " + strings.ReplaceAll(strings.TrimSuffix(s.command, "\n"), "\n", "\n> ") + "\n" + s.prints)
	}
	return real.String()
}

var told = regexp.MustCompile(`^soup: (error|hint|warning|done)\b`)

// runShell returns what a reader sees: stdout, then what soup says on stderr
// except for its progress. A failure must be one that soup reports.
func runShell(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "GOGC="+smallHeaps, "COLUMNS=100", "HOME="+dir, "XDG_CACHE_HOME="+dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var said strings.Builder
	for line := range strings.Lines(stderr.String()) {
		if told.MatchString(line) || !strings.HasPrefix(strings.TrimSpace(command), "soup") {
			said.WriteString(line)
		}
	}
	var exit *exec.ExitError
	if failed := strings.Contains(said.String(), "soup: error: "); err != nil && !errors.As(err, &exit) || failed != (err != nil) {
		t.Errorf("$ %s%v\n%s%s", command, err, &stdout, &stderr)
	}
	return trimmed(stdout.String() + said.String())
}

func linesDiff(page, printed string) string {
	return cmp.Diff(strings.Split(page, "\n"), strings.Split(printed, "\n"))
}

var trailing = regexp.MustCompile(`(?m)[ \t]+$`)

func trimmed(text string) string { return trailing.ReplaceAllString(text, "") }

// fits says whether a page's text stands for what was printed.
func fits(page, printed string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(trimmed(page)) {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".+"))
		}
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(printed)
}

var varying = regexp.MustCompile(`\b[0-9.]+ ?(ns|µs|ms|s|GB/s|GB free|items/s)\b|\b\d+m\d+s\b`)

// masked is what was printed with … for what varies: where a line of the page has
// such a place already, that line.
func masked(page, printed string) string {
	var out strings.Builder
	for line := range strings.Lines(printed) {
		new := varying.ReplaceAllStringFunc(line, func(m string) string { return "…" + strings.TrimLeft(m, "0123456789.ms") })
		for old := range strings.Lines(page) {
			if old != "...\n" && strings.Contains(old, "…") && fits(old, line) {
				new = old
			}
		}
		out.WriteString(new)
	}
	return out.String()
}

// elided is what was printed without the parts that the page leaves out, as far as
// they can be found again: what is shown begins and ends with lines whose first
// words are those of the page's.
func elided(page, printed string) string {
	const gap = "...\n"
	if !strings.Contains("\n"+page, "\n"+gap) {
		return printed
	}
	var out strings.Builder
	rest := strings.SplitAfter(printed, "\n")
	for i, part := range strings.Split("\n"+page, "\n"+gap) {
		part = strings.TrimSuffix(strings.TrimPrefix(part, "\n"), "\n")
		if i > 0 {
			out.WriteString(gap)
		}
		if part == "" {
			continue
		}
		shown := slices.Collect(strings.Lines(part + "\n"))
		from := max(0, indexOfWords(rest, shown[0]))
		to := indexOfWords(rest[from:], shown[len(shown)-1])
		if to < 0 {
			to = len(shown) - 1
		}
		to = min(from+to+1, len(rest))
		out.WriteString(strings.Join(rest[from:to], ""))
		rest = rest[to:]
	}
	return out.String()
}

// indexOfWords finds the line that begins with the first words of another.
func indexOfWords(lines []string, like string) int {
	words := func(line string) []string {
		f := strings.Fields(line)
		return f[:min(2, len(f))]
	}
	return slices.IndexFunc(lines, func(line string) bool { return slices.Equal(words(line), words(like)) })
}

// What a page leaves out stays out when its output is written anew.
func TestElided(t *testing.T) {
	printed := "study x\n\n  a 2\n  b 3\n\nwinner: trial 9\n\nweights\n  c\nthe winner is worse\nnotes\nend 2\n"
	for page, want := range map[string]string{
		"study x\n\n  a 1\n\nwinner: trial 8\n...\nthe winner is better\n...\n": "study x\n\n  a 2\n  b 3\n\nwinner: trial 9\n...\nthe winner is worse\n...\n",
		"...\nthe winner is better\nend 2\n":                                    "...\nthe winner is worse\nnotes\nend 2\n",
		"study y\n":                                                             printed,
	} {
		if got := elided(page, printed); got != want {
			t.Errorf("%q becomes %q, want %q", page, got, want)
		}
		if got := elided(page, printed); !fits(got, printed) {
			t.Errorf("%q does not fit", got)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every command line of the guide and the README is in a session; what is not run
// is marked, with a reason, and counted.
func TestGuideMarksWhatItDoesNotRun(t *testing.T) {
	pages := append(guidePages(t), "README.md")
	for _, name := range pages {
		path := filepath.Join(guideFolder, name)
		if name == "README.md" {
			path = "../../README.md"
		}
		page, marked := readFile(t, path), 0
		for _, b := range blocks(page) {
			if b.notRun != "" {
				marked++
			}
			if b.lang == "console" && b.steps() == nil {
				t.Errorf("%s: this session does not begin with a prompt:\n%s", name, b.text)
			}
		}
		if marked != notRun[name] {
			t.Errorf("%s: %d blocks are marked as not run, %d should be", name, marked, notRun[name])
		}
		rest := fenced.ReplaceAllStringFunc(page, func(b string) string {
			if strings.Contains(b, "```console\n") {
				return ""
			}
			return b
		})
		lines := regexp.MustCompile(`(?m)^(?:\$ |[ \t]+)(?:bin/)?soup [a-z].*$`).FindAllString(rest, -1)
		for _, b := range blocks(rest) {
			lines = append(lines, regexp.MustCompile(`(?m)^(?:bin/)?soup [a-z].*$`).FindAllString(b.text, -1)...)
		}
		for _, m := range lines {
			t.Errorf("%s: %q is in no session; write it in a block of kind console", name, strings.TrimSpace(m))
		}
	}
	for name := range notRun {
		if !slices.Contains(pages, name) {
			t.Errorf("there is no page %s", name)
		}
	}
}
