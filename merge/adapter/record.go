package adapter

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"soup/merge"
)

// Methods, as soup.json records them. Parents are the adapters that have a
// weight, with [Adapter.Hash]; a base comes last, with weight 1 and
// [merge.Checkpoint.Hash].
const (
	Stacked         = "lora-stack"
	StackedEachRank = "lora-stack-each-rank" // with [Options].EachRank
	Baked           = "lora-bake"
)

// record is soup.json before the weights are there.
func record(ctx context.Context, method string, kept []share, base *merge.Checkpoint, store merge.DType) (*merge.SavedRecipe, error) {
	s := merge.SavedRecipe{Method: method, Store: store, Weights: make([][]float64, 1)}
	add := func(name, path, hash string, weight float64) {
		s.Parents = append(s.Parents, merge.SavedParent{Name: name, Path: filepath.Base(filepath.Clean(path)), SHA256: hash})
		s.Weights[0] = append(s.Weights[0], weight)
	}
	for _, k := range kept {
		hash, err := k.of.Hash(ctx)
		if err != nil {
			return nil, err
		}
		add(k.name, k.of.dir, hash, k.weight)
	}
	if base != nil {
		hash, err := base.Hash(ctx)
		if err != nil {
			return nil, err
		}
		add(filepath.Base(filepath.Clean(base.Path())), base.Path(), hash, 1)
	}
	return &s, nil
}

// hubName is OWNER/NAME. Anything else may be a path, which is nobody's business.
var hubName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[\w.-]+$`)

// card is the README.md of a soup, with the header that Hugging Face reads:
// https://huggingface.co/docs/hub/model-cards
func card(title string, s merge.SavedRecipe, baseModel string) []byte {
	var b strings.Builder
	library, what := "peft", "as one adapter: the rows of A and the columns of B are those of all"
	if s.Method == Baked {
		library, what = "transformers", "added to the base, the last parent below, in float32, rounded once"
	}
	fmt.Fprintf(&b, "---\nlibrary_name: %s\n", library)
	if library == "peft" && hubName.MatchString(baseModel) {
		fmt.Fprintf(&b, "base_model: %s\n", strconv.Quote(baseModel))
	}
	fmt.Fprintf(&b, "tags:\n- lora\n- merge\n- soup\n---\n# %s\n\nThe weighted sum of the changes of LoRA adapters, %s. Made with soup.\n\n", plainly(title), what)
	b.WriteString("| parent | weight | content (sha256) |\n|---|---|---|\n")
	for i, p := range s.Parents {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", plainly(p.Name), strconv.FormatFloat(s.Weights[0][i], 'g', -1, 64), p.SHA256)
	}
	b.WriteString("\n`soup.json` holds the recipe: from the same parents it gives the same bytes again.\nThe parents' licences apply to this model too.\n")
	return []byte(b.String())
}

// plainly keeps a name from breaking a line or a table of Markdown.
func plainly(name string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(name)
}
