package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"soup/internal/study"
	"soup/internal/usage"
	"soup/results"
	"soup/results/plots"
	"soup/results/table"
)

// Request says what to show of which study.
type Request struct {
	Dir string // of the study

	// At most one of these; none prints text.
	JSON, CSV, Markdown bool

	// Folders to write pictures into; "" writes none. They are made where they are
	// not there, and pictures of the same name are replaced. With a picture, stdout
	// has the names of the files instead of the report.
	SVG, PNG string

	// HTML is a web page to write, one file with everything; "" writes none. What is
	// there is replaced only if it is such a page.
	HTML string

	Notes bool // text also tells how each strategy chose
	Width int  // columns of text; 0: those of the terminal, see table.Columns
}

// Run shows a study. Results go to stdout, and to stderr a line for every
// picture that there is no data for.
func Run(ctx context.Context, stdout, stderr io.Writer, r Request) error {
	if err := r.check(); err != nil {
		return err
	}
	if r.HTML != "" {
		if err := study.WritePage(ctx, r.Dir, r.HTML); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, r.HTML)
		return err
	}
	report, err := study.BuildReport(ctx, r.Dir)
	if err != nil {
		return err
	}
	if !r.pictures() {
		return r.print(stdout, report)
	}
	return r.draw(ctx, stdout, stderr, report)
}

func (r Request) pictures() bool { return r.SVG != "" || r.PNG != "" }

// check refuses options that contradict each other, before any work.
func (r Request) check() error {
	var forms []string
	for _, form := range []struct {
		name string
		on   bool
	}{{"--json", r.JSON}, {"--csv", r.CSV}, {"--md", r.Markdown}, {"pictures", r.pictures()}, {"--html", r.HTML != ""}} {
		if form.on {
			forms = append(forms, form.name)
		}
	}
	if len(forms) > 1 {
		return &usage.Error{Message: "give " + strings.Join(forms, " or ") + ", not both"}
	}
	return nil
}

func (r Request) print(w io.Writer, report results.Report) error {
	switch {
	case r.JSON:
		return results.WriteJSON(w, report)
	case r.CSV:
		return results.WriteCSV(w, report)
	case r.Markdown:
		return results.WriteMarkdown(w, report)
	}
	if !r.Notes {
		report.Notes = winnersNotes(report.Notes, r.Dir)
	}
	width := r.Width
	if width == 0 {
		width = table.Columns(w)
	}
	return results.WriteTextWidth(w, report, width)
}

// winnersNotes are why the winner was chosen, and where the others are to be had.
func winnersNotes(notes []results.Note, dir string) []results.Note {
	var kept []results.Note
	others := 0
	for _, n := range notes {
		if n.Strategy == results.OfWinner || n.Strategy == study.RacingNote {
			kept = append(kept, n)
		} else {
			others += len(n.Lines)
		}
	}
	if others > 0 {
		kept = append(kept, results.Note{Strategy: "strategies", Lines: []string{
			fmt.Sprintf("%d lines on how they chose: soup report --notes %s", others, dir),
		}})
	}
	return kept
}

// draw writes every picture that there is data for.
func (r Request) draw(ctx context.Context, stdout, stderr io.Writer, report results.Report) error {
	for _, dir := range []string{r.SVG, r.PNG} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	figures, missing := plots.Draw(report)
	for _, m := range missing {
		fmt.Fprintf(stderr, "soup: no picture %s: %s\n", m.Name, m.Reason)
	}
	for _, f := range figures {
		if err := errors.Join(ctx.Err(), save(stdout, r.SVG, f.Name+".svg", f.WriteSVG), save(stdout, r.PNG, f.Name+".png", f.WritePNG)); err != nil {
			return err
		}
	}
	return nil
}

// save writes a picture, whole or not at all, and prints its name. Without a
// folder it does nothing.
func save(stdout io.Writer, dir, name string, draw func(io.Writer) error) error {
	if dir == "" {
		return nil
	}
	var picture bytes.Buffer
	if err := draw(&picture); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := renameio.WriteFile(path, picture.Bytes(), 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, path)
	return err
}
