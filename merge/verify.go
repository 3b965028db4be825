package merge

import (
	"context"
	"slices"

	"soup/merge/internal/remedy"
)

// Verification says whether a soup is the one that its recipe records.
type Verification struct {
	OK        bool             `json:"ok"`
	SHA256    string           `json:"sha256"`    // of the weights as they are
	Recorded  string           `json:"recorded"`  // of the weights when they were written
	Parents   []VerifiedParent `json:"parents"`   // the recipe's, in its order
	Strangers []string         `json:"strangers"` // paths that were given but are no parents of this soup
}

// VerifiedParent is a parent that a recipe records.
type VerifiedParent struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // recorded content hash
	Path   string `json:"path"`   // of a given checkpoint with this content; "" if there is none
	Needed bool   `json:"needed"` // has weight in a group, or is the first, whose header and configuration the soup has
}

// Verify compares a soup's weights, and the content of the parents if any are
// given, with what a recipe records. Everything is read. Parents are found by
// content, in whatever order they are given; each recorded one must be among
// them. What differs is in the result; errors are those of reading, and of a
// recipe that records no sha256.
func Verify(ctx context.Context, soup *Checkpoint, saved SavedRecipe, parents []*Checkpoint) (Verification, error) {
	v := Verification{Recorded: saved.SHA256, Parents: []VerifiedParent{}, Strangers: []string{}}
	if !hexSum.MatchString(saved.SHA256) {
		return v, remedy.Errorf("use the soup.json that was written with the soup", "the recipe records no sha256 of the weights")
	}
	h, sums := newHasher(nil), make([]string, len(parents)+1)
	err := atOnce(ctx, len(sums), func(ctx context.Context, i int) (err error) {
		if i == len(parents) {
			sums[i], err = h.weights(ctx, soup)
		} else {
			sums[i], err = h.checkpoint(ctx, parents[i])
		}
		return err
	})
	if err != nil {
		return v, err
	}
	v.SHA256 = sums[len(parents)]
	v.match(saved, parents, sums[:len(parents)])
	v.OK = v.SHA256 == v.Recorded && len(v.Strangers) == 0 && (len(parents) == 0 || !v.missing())
	return v, nil
}

// WeightsSHA256 returns the sha256 of the weights of a checkpoint as a recipe
// records it.
func WeightsSHA256(ctx context.Context, path string) (string, error) {
	c, err := Open(path)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return newHasher(nil).weights(ctx, c)
}

// weights returns the sha256 of a checkpoint's weights as a recipe records it.
func (h hasher) weights(ctx context.Context, c *Checkpoint) (string, error) {
	files := make([]hashed, len(c.files))
	err := atOnce(ctx, len(c.files), func(ctx context.Context, i int) (err error) {
		f := c.files[i]
		files[i] = hashed{name: f.name, size: f.size()}
		files[i].sha, err = h.file(ctx, f)
		return err
	})
	return weightsHash(files), err
}

// match finds the recorded parents among the given ones, by content.
func (v *Verification) match(saved SavedRecipe, given []*Checkpoint, sums []string) {
	known := map[string]bool{}
	for k, p := range saved.Parents {
		known[p.SHA256] = true
		vp := VerifiedParent{Name: p.Name, SHA256: p.SHA256, Needed: k == 0 || saved.Recipe().Weighs(k)}
		if i := slices.Index(sums, p.SHA256); i >= 0 {
			vp.Path = given[i].path
		}
		v.Parents = append(v.Parents, vp)
	}
	for i, c := range given {
		if !known[sums[i]] {
			v.Strangers = append(v.Strangers, c.path)
		}
	}
}

// missing says whether a parent that is needed was not given.
func (v *Verification) missing() bool {
	return slices.ContainsFunc(v.Parents, func(p VerifiedParent) bool { return p.Needed && p.Path == "" })
}
