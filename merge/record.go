package merge

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"soup/merge/internal/remedy"
)

// SavedRecipe is soup.json: what a soup was made of, enough to make the same
// bytes again from the same parents.
type SavedRecipe struct {
	Soup    int              `json:"soup"` // version of this format: 1
	Method  string           `json:"method,omitempty"`
	Parents []SavedParent    `json:"parents"`
	Groups  *Grouping        `json:"groups,omitempty"` // nil: one group
	Weights [][]float64      `json:"weights"`          // [group][parent]
	Round   map[string]DType `json:"round,omitempty"`  // see [Recipe]
	Store   DType            `json:"store,omitempty"`  // absent: as the first parent, tensor by tensor
	Shard   int64            `json:"shard,omitempty"`  // see [WriteOptions]
	SHA256  string           `json:"sha256"`           // of the weights file; of shards, of the lines "NAME SIZE SHA256\n"
	Made    string           `json:"made,omitempty"`   // the same of the soup before it was converted to another format; absent: it was not
}

// Averaged returns the sha256 that averaging the parents gives, before the soup
// is converted to another format, if it is.
func (s SavedRecipe) Averaged() string {
	if s.Made != "" {
		return s.Made
	}
	return s.SHA256
}

// SavedParent is a parent as soup.json names it. Path is the last element
// only: where checkpoints lie is nobody else's business.
type SavedParent struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of [Checkpoint.Hash]
}

// ReadRecipe reads a soup.json. Errors name the file and what is wrong.
func ReadRecipe(file string) (SavedRecipe, error) {
	var s SavedRecipe
	raw, err := os.ReadFile(file)
	if err != nil {
		return s, remedy.Opening(file, err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("%s: broken JSON: %w", file, err)
	}
	if s.Soup != 1 {
		return s, remedy.Errorf("use a soup.json, or a newer soup", "%s: version %d of the recipe format is not known", file, s.Soup)
	}
	if _, err := s.Recipe().narrowed(len(s.Parents)); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Recipe returns the recipe, for parents in the order of s.Parents.
func (s SavedRecipe) Recipe() Recipe {
	r := Recipe{Weights: s.Weights}
	if s.Groups != nil {
		r.Groups = *s.Groups
	}
	if len(s.Round) > 0 {
		r.Round = func(tensor string) DType { return s.Round[tensor] }
	}
	return r
}

// record describes a written soup; this is where the parents are hashed.
func (w *writing) record(ctx context.Context, sha256 string) (SavedRecipe, error) {
	s := SavedRecipe{Soup: 1, Method: w.options.Method, Weights: w.recipe.Weights, Round: map[string]DType{}, Store: w.layout.store(), Shard: w.options.Shard, SHA256: sha256}
	if len(w.recipe.Groups.Names) > 0 {
		s.Groups = &w.recipe.Groups
	}
	for _, t := range w.layout.tensors {
		if d := w.recipe.round(t.Name); d != AsStored {
			s.Round[t.Name] = d
		}
	}
	hashes, err := HashAll(ctx, w.parents, nil)
	if err != nil {
		return s, err
	}
	for i, p := range w.parents {
		s.Parents = append(s.Parents, SavedParent{w.names[i], filepath.Base(p.path), hashes[i]})
	}
	return s, nil
}

// The files that a soup's recipe and model card are kept in.
const (
	recordName = "soup.json"
	cardName   = "README.md"
)

// RecordPath returns where a soup's recipe is: in its directory, or beside its
// .gguf file.
func RecordPath(soup string) string { return besides(soup, recordName) }

// CardPath returns where a soup's model card is, likewise.
func CardPath(soup string) string { return besides(soup, cardName) }

func besides(soup, name string) string {
	if isGGUF(soup) {
		return soup + "." + name
	}
	return filepath.Join(soup, name)
}

// isGGUF says whether a path is one of a GGUF file.
func isGGUF(path string) bool { return filepath.Ext(path) == ".gguf" }

// Text returns soup.json.
func (s SavedRecipe) Text() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// card writes the README.md of a soup, with the header that Hugging Face reads:
// https://huggingface.co/docs/hub/model-cards
func (s SavedRecipe) card(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\nlibrary_name: transformers\ntags:\n- merge\n- soup\n---\n# %s\n\n", plain(title))
	fmt.Fprintf(&b, "A weighted average of %d checkpoints, made with soup", len(s.Parents))
	if s.Method != "" {
		fmt.Fprintf(&b, " (%s)", plain(s.Method))
	}
	b.WriteString(".\n\n")
	s.cardTable(&b)
	b.WriteString("\nProducts and sums are float32, rounded once")
	if s.Store != AsStored {
		fmt.Fprintf(&b, " to %s", s.Store.Torch())
	}
	fmt.Fprintf(&b, ". Configuration and tokenizer are those of %s.\n", plain(s.Parents[0].Name))
	b.WriteString("`soup.json` holds the recipe: from the same parents it gives the same bytes again.\nThe parents' licences apply to this model too.\n")
	return b.String()
}

// maxColumns is how many groups of weights a model card shows one by one; of
// more, which methods that look at each tensor make, it shows the range.
const maxColumns = 8

// cardTable writes the weights, a line a parent.
func (s SavedRecipe) cardTable(b *strings.Builder) {
	groups, number := s.Recipe().Groups, func(w float64) string { return strconv.FormatFloat(w, 'g', -1, 64) }
	columns := []string{"weight"}
	cells := func(k int) []string { return []string{number(s.Weights[0][k])} }
	switch n := len(s.Weights); {
	case n > maxColumns:
		columns = []string{fmt.Sprintf("least weight in %d groups of tensors", n), "largest"}
		cells = func(k int) []string {
			least, largest := s.extremes(k)
			return []string{number(least), number(largest)}
		}
	case n > 1:
		columns = nil
		for g := range s.Weights {
			columns = append(columns, "weight, "+plain(groups.Name(g)))
		}
		cells = func(k int) (list []string) {
			for _, row := range s.Weights {
				list = append(list, number(row[k]))
			}
			return list
		}
	}
	fmt.Fprintf(b, "| parent | %s | content (sha256) |\n|---%s|---|\n", strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
	for k, p := range s.Parents {
		fmt.Fprintf(b, "| %s | %s | %s |\n", plain(p.Name), strings.Join(cells(k), " | "), p.SHA256)
	}
}

// extremes returns the least and the largest weight of a parent in any group.
func (s SavedRecipe) extremes(parent int) (least, largest float64) {
	least, largest = s.Weights[0][parent], s.Weights[0][parent]
	for _, row := range s.Weights {
		least, largest = min(least, row[parent]), max(largest, row[parent])
	}
	return least, largest
}

// plain keeps a name from breaking a line or a table of Markdown.
func plain(name string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(name)
}

var dtypeLine = regexp.MustCompile(`("(?:torch_)?dtype"\s*:\s*)"(?:float32|float16|bfloat16)"`)

// withDType notes the stored dtype in a config.json, leaving the rest as it
// is; multimodal configurations say it several times.
func withDType(config []byte, store DType) []byte {
	return dtypeLine.ReplaceAll(config, []byte(`${1}"`+store.Torch()+`"`))
}
