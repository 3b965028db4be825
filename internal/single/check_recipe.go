package single

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"soup/internal/usage"
	"soup/merge"
)

// Verified is what soup check --recipe prints. The JSON keys are fixed.
type Verified struct {
	Path   string `json:"path"`
	Recipe string `json:"recipe"`
	merge.Verification
}

// VerifyOptions say which soup to compare with what.
type VerifyOptions struct {
	Soup    string
	Recipe  string   // the soup.json that was written with it
	Parents []string // may be empty: then only the soup's weights are looked at
	Reading Reading
}

// Verify compares a soup, and its parents if any are given, with its recipe.
// All are read.
func Verify(ctx context.Context, o VerifyOptions) (v Verified, err error) {
	if isMergekit(o.Recipe) {
		return v, &usage.Error{Message: o.Recipe + ": a recipe of mergekit, which does not record what came out", Advice: "give the soup.json that was written with the soup"}
	}
	saved, err := merge.ReadRecipe(o.Recipe)
	if err != nil {
		return v, err
	}
	if o.anyAdapter() {
		return verifyAdapters(ctx, o, saved)
	}
	soup, err := o.Reading.open(o.Soup)
	if err != nil {
		return v, err
	}
	defer soup.Close()
	parents, err := o.Reading.openAll(o.Parents)
	defer closeAll(parents)
	if err != nil {
		return v, err
	}
	v = Verified{Path: o.Soup, Recipe: o.Recipe}
	if v.Verification, err = merge.Verify(ctx, soup, saved, parents); err != nil {
		return v, fmt.Errorf("%s: %w", o.Recipe, err)
	}
	return v, nil
}

// Err returns nil if the soup is what the recipe records, else one line.
func (v Verified) Err() error {
	switch {
	case v.OK:
		return nil
	case v.SHA256 != v.Recorded:
		return fmt.Errorf("%s: not the weights that %s records", v.Path, v.Recipe)
	}
	return errors.New("the given parents are not those that " + v.Recipe + " records")
}

// WriteJSON prints the result as JSON.
func (v Verified) WriteJSON(w io.Writer) error { return writeJSON(w, v) }

// WriteText prints one line for the weights and one a parent.
func (v Verified) WriteText(w io.Writer) error {
	var text strings.Builder
	if v.SHA256 == v.Recorded {
		fmt.Fprintf(&text, "ok: %s: weights sha256 %s, as recorded\n", v.Path, v.SHA256)
	} else {
		fmt.Fprintf(&text, "differs: %s: weights sha256 %s, recorded %s\n", v.Path, v.SHA256, v.Recorded)
	}
	for _, p := range v.Parents {
		switch {
		case p.Path != "":
			fmt.Fprintf(&text, "ok: parent %s: content sha256 %s, as recorded: %s\n", p.Name, p.SHA256, p.Path)
		case v.given() && !p.Needed:
			fmt.Fprintf(&text, "left out: parent %s, which has no weight: content sha256 %s\n", p.Name, p.SHA256)
		case v.given():
			fmt.Fprintf(&text, "missing: parent %s: content sha256 %s, of none of the given checkpoints\n", p.Name, p.SHA256)
		default:
			fmt.Fprintf(&text, "not looked at: parent %s: content sha256 %s\n", p.Name, p.SHA256)
		}
	}
	for _, path := range v.Strangers {
		fmt.Fprintf(&text, "no parent of this soup: %s\n", path)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// given says whether parents were given: each is recorded, or a stranger.
func (v Verified) given() bool {
	found := func(p merge.VerifiedParent) bool { return p.Path != "" }
	return len(v.Strangers) > 0 || slices.ContainsFunc(v.Parents, found)
}
