package export

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"soup/internal/usage"
)

// modelfile writes a Modelfile (https://docs.ollama.com/modelfile): where the
// weights are, and no more than is known. The chat template is in them; what
// Ollama makes of it is said, for where it finds none it says nothing.
func (e *exporting) modelfile(context.Context) error {
	from, err := e.from()
	if err != nil {
		return err
	}
	err = atomically(e.Modelfile, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, `# Written by soup: trial %d of study %s. ollama create NAME -f %s
FROM %s
# No TEMPLATE: Ollama looks the chat template of the weights up among those that it knows, and takes none if it
# finds none. See which with: ollama show --template NAME
# The study scored it with greedy decoding; to have that by default:
# PARAMETER temperature 0
`, e.trial.Number, oneLine(e.study.About.Name), filepath.Base(e.Modelfile), from)
		return err
	})
	if err == nil {
		e.note(e.Modelfile)
	}
	return err
}

// from is the weights' path as the Modelfile names it: relative to it. They are
// what is exported at the same time or else, for the winner, what the study
// exported. Quotation marks are not needed: a path ends with its line
// (parser/parser.go of Ollama).
func (e *exporting) from() (string, error) {
	weights := e.Out
	if weights == "" {
		winner, ok, err := e.study.Ledger.Winner()
		if err != nil {
			return "", err
		}
		if !ok || winner.Trial != e.trial.Number {
			return "", &usage.Error{Message: fmt.Sprintf("--modelfile: trial %d is not exported", e.trial.Number), Advice: "export it in the same command: -o OUT.gguf --format gguf"}
		}
		weights = filepath.Join(e.study.Dir, winner.Path)
		if _, err := os.Stat(weights); err != nil {
			return "", err
		}
	}
	if strings.ContainsAny(weights, "\n\r") {
		return "", usage.Errorf("--modelfile: %q: a line break in the path", weights)
	}
	folder, err := filepath.Abs(filepath.Dir(e.Modelfile))
	if err != nil {
		return "", err
	}
	if weights, err = filepath.Abs(weights); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(folder, weights)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel // or it could be the name of a model
	}
	return filepath.ToSlash(rel), nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
