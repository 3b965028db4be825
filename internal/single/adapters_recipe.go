package single

import (
	"context"
	"fmt"
	"slices"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/adapter"
)

// adaptersAgain reads a soup.json and makes of it, and of the adapters and the
// base given, the soup that was recorded.
func adaptersAgain(ctx context.Context, file string, given basting) (basting, error) {
	saved, err := merge.ReadRecipe(file)
	if err != nil {
		return basting{}, err
	}
	b := basting{base: given.base, options: given.options, sum: saved.SHA256}
	b.options.Store, b.options.EachRank = saved.Store, saved.Method == adapter.StackedEachRank
	parents, err := recordedBase(ctx, file, saved, given.base)
	if err != nil {
		return basting{}, err
	}
	sums, err := adapterHashes(ctx, given.adapters)
	if err != nil {
		return basting{}, err
	}
	for k, p := range parents {
		i := slices.Index(sums, p.SHA256)
		if i < 0 {
			return basting{}, &usage.Error{Message: fmt.Sprintf("%s: none of the given adapters is the parent %s (content %s)", file, p.Name, p.SHA256[:min(12, len(p.SHA256))]), Advice: "give the paths of all parents of the recipe"}
		}
		b.adapters, b.names, b.weights = append(b.adapters, given.adapters[i]), append(b.names, p.Name), append(b.weights, saved.Weights[0][k])
	}
	if len(b.adapters) != len(given.adapters) {
		return basting{}, &usage.Error{Message: fmt.Sprintf("%s: made of %d adapters, not of the given %d", file, len(b.adapters), len(given.adapters)), Advice: "leave the others out"}
	}
	return b, nil
}

// recordedBase holds the base that was given against the recorded one, and
// returns the parents without it.
func recordedBase(ctx context.Context, file string, saved merge.SavedRecipe, base *merge.Checkpoint) ([]merge.SavedParent, error) {
	last := len(saved.Parents) - 1
	switch {
	case !slices.Contains([]string{adapter.Stacked, adapter.StackedEachRank, adapter.Baked}, saved.Method) || saved.Groups != nil || last < 0:
		return nil, &usage.Error{Message: file + ": not the recipe of a soup of LoRA adapters", Advice: "give the parents that it names"}
	case saved.Method != adapter.Baked && base != nil:
		return nil, &usage.Error{Message: file + ": the soup is an adapter and has no base", Advice: "leave --base out"}
	case saved.Method != adapter.Baked:
		return saved.Parents, nil
	case base == nil:
		return nil, &usage.Error{Message: file + ": the soup is a full checkpoint", Advice: "give its base as --base: " + saved.Parents[last].Name}
	}
	hash, err := base.Hash(ctx)
	if err == nil && hash != saved.Parents[last].SHA256 {
		err = &usage.Error{Message: fmt.Sprintf("%s: %s is not its base %s", file, base.Path(), saved.Parents[last].Name), Advice: "give the base that was used"}
	}
	return saved.Parents[:last], err
}

func adapterHashes(ctx context.Context, adapters []*adapter.Adapter) (sums []string, err error) {
	for _, a := range adapters {
		sum, err := a.Hash(ctx)
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	return sums, nil
}

// anyAdapter says whether a soup or one of its parents is a LoRA adapter.
func (o VerifyOptions) anyAdapter() bool {
	return adapter.IsAdapter(o.Soup) || slices.ContainsFunc(o.Parents, adapter.IsAdapter)
}

// verifyAdapters is Verify where the soup, or a parent, is an adapter.
func verifyAdapters(ctx context.Context, o VerifyOptions, saved merge.SavedRecipe) (v Verified, err error) {
	soup, err := o.Reading.open(adapter.WeightsOf(o.Soup))
	if err != nil {
		return v, err
	}
	defer soup.Close()
	v = Verified{Path: o.Soup, Recipe: o.Recipe}
	if v.Verification, err = merge.Verify(ctx, soup, saved, nil); err != nil {
		return v, fmt.Errorf("%s: %w", o.Recipe, err)
	}
	for _, path := range o.Parents {
		hash, err := o.contentOf(ctx, path)
		if err != nil {
			return v, err
		}
		i := slices.IndexFunc(v.Parents, func(p merge.VerifiedParent) bool { return p.SHA256 == hash })
		if i < 0 {
			v.Strangers = append(v.Strangers, path)
		} else {
			v.Parents[i].Path = path
		}
	}
	missing := func(p merge.VerifiedParent) bool { return p.Needed && p.Path == "" }
	v.OK = v.OK && len(v.Strangers) == 0 && (len(o.Parents) == 0 || !slices.ContainsFunc(v.Parents, missing))
	return v, nil
}

// contentOf hashes an adapter, or the base.
func (o VerifyOptions) contentOf(ctx context.Context, path string) (string, error) {
	if adapter.IsAdapter(path) {
		a, err := adapter.Open(path)
		if err != nil {
			return "", err
		}
		defer a.Close()
		return a.Hash(ctx)
	}
	c, err := o.Reading.open(path)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Hash(ctx)
}
