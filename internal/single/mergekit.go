package single

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/mergekit"
)

// isMergekit says whether a recipe is one of mergekit: YAML by its name or, if
// it is not called .json, a file that speaks of a merge_method.
func isMergekit(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return true
	case ".json":
		return false
	}
	text, err := os.ReadFile(file)
	return err == nil && bytes.Contains(text, []byte("merge_method"))
}

// byMergekit carries out a recipe of mergekit. The parents it opens are in the
// result; after an error there are none.
func (o MergeOptions) byMergekit(ctx context.Context) (b blend, err error) {
	if len(o.Paths) > 0 {
		return b, &usage.Error{Message: fmt.Sprintf("%s names its models itself; %d paths were given too", o.Recipe, len(o.Paths)), Advice: "leave the paths out, or change the models in the recipe"}
	}
	if b.options, err = o.Storing.options(o.Info); err != nil {
		return b, err
	}
	config, err := mergekit.Read(o.Recipe)
	if err != nil {
		return b, err
	}
	if config.Reads() {
		fmt.Fprintf(o.Info, "soup: %s reads all tensors once to find the weights\n", config.Method)
	}
	s, store, err := config.Soup(ctx, func(path string) (*merge.Checkpoint, error) {
		c, err := o.Reading.open(path)
		if err != nil {
			return nil, err
		}
		// Before any of them is read.
		if err := o.Storing.checkOutput(o.Out, []*merge.Checkpoint{c}, b.options); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, nil
	})
	if err != nil {
		return b, naming(o.Recipe, err)
	}
	b.parents, b.names, b.recipe, b.options.Method, b.options.Store, b.storing = s.Parents, s.Names, s.Recipe, s.Method, store, o.Storing
	return b, merge.Check(b.parents, nil).Err()
}

// naming puts the recipe's file in front of errors that do not begin with it.
func naming(file string, err error) error {
	if strings.HasPrefix(err.Error(), file) {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}
