package selftest

import (
	"context"
	"os"
	"path/filepath"

	"soup/internal/serve"
	"soup/internal/usage"
	"soup/merge"
	"soup/merge/convert"
)

// shrunk is what every weight of the copy is multiplied by. Norms are among
// them, so no layer makes up for it: log-probabilities differ, by far more than
// a server's rounding.
const shrunk = 0.95

// prepare brings the model into the server's form and makes a copy with other
// weights, both in dir unless the model can be loaded where it is.
func prepare(ctx context.Context, o Options, dir string) (a, b string, err error) {
	source, err := merge.Open(o.Model)
	if err != nil {
		return "", "", err
	}
	defer source.Close()
	a = o.Model
	switch isFile := source.Path() == source.Files()[0]; {
	case source.Format() == merge.GGUF && o.Server.Format() != serve.GGUF:
		return "", "", usage.Errorf("%s: a GGUF file; a server of kind %s loads Hugging Face directories", o.Model, o.Server.Kind)
	case source.Format() != merge.GGUF && isFile:
		return "", "", usage.Errorf("%s: a single file; the server needs the directory with config.json and tokenizer", o.Model)
	case source.Format() != merge.GGUF:
		if a, err = source.AsSafetensors(ctx, filepath.Join(dir, "parent")); err != nil {
			return "", "", err
		}
	}
	b = filepath.Join(dir, "other")
	if o.Server.Format() == serve.GGUF {
		if source.Format() != merge.GGUF {
			if a, err = convert.Path(ctx, a, dir, ""); err != nil {
				return "", "", err
			}
		}
		b += ".gguf"
	}
	if a, err = filepath.Abs(a); err != nil {
		return "", "", err
	}
	return a, b, other(ctx, a, b)
}

// other writes the copy.
func other(ctx context.Context, a, b string) error {
	model, err := merge.Open(a)
	if err != nil {
		return err
	}
	defer model.Close()
	recipe := merge.Recipe{Weights: [][]float64{{shrunk}}}
	_, err = merge.Write(ctx, b, []*merge.Checkpoint{model}, nil, recipe, merge.WriteOptions{})
	return err
}

// isDirectory says whether the model has the files of a tokenizer beside it.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
