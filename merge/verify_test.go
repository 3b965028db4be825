package merge

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// written makes a soup of two small parents and returns its folder and parents.
func written(t testing.TB, o WriteOptions) (string, []*Checkpoint) {
	t.Helper()
	parents := []*Checkpoint{small(t, 1), small(t, 2)}
	out := filepath.Join(t.TempDir(), "soup")
	if _, err := Write(t.Context(), out, parents, []string{"a", "b"}, Recipe{Weights: [][]float64{{0.5, 0.5}}}, o); err != nil {
		t.Fatal(err)
	}
	return out, parents
}

func recipeOf(t testing.TB, out string) SavedRecipe {
	t.Helper()
	saved, err := ReadRecipe(filepath.Join(out, "soup.json"))
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func TestVerify(t *testing.T) {
	for name, o := range map[string]WriteOptions{"one file": {}, "shards": {Shard: 200}} {
		t.Run(name, func(t *testing.T) { testVerify(t, o) })
	}
}

func testVerify(t *testing.T, o WriteOptions) {
	out, parents := written(t, o)
	saved := recipeOf(t, out)
	verify := func(c *Checkpoint, given ...*Checkpoint) Verification {
		t.Helper()
		v, err := Verify(t.Context(), c, saved, given)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(open(t, out)); !v.OK || v.SHA256 != saved.SHA256 || v.Recorded != saved.SHA256 || len(v.Parents) != 2 || v.Parents[0].Path != "" {
		t.Errorf("%+v", v)
	}
	if v := verify(open(t, out), parents[1], parents[0]); !v.OK || v.Parents[0].Path != parents[0].path || v.Parents[1].Name != "b" {
		t.Errorf("%+v", v)
	}
	if v := verify(open(t, out), parents[0]); v.OK || v.Parents[1].Path != "" || len(v.Strangers) != 0 {
		t.Errorf("a parent is missing: %+v", v)
	}
	stranger := small(t, 3)
	if v := verify(open(t, out), parents[0], parents[1], stranger); v.OK || len(v.Strangers) != 1 || v.Strangers[0] != stranger.path {
		t.Errorf("%+v", v)
	}
	saved.Weights = [][]float64{{1, 0}} // as if the second had none: it may be left out
	if v := verify(open(t, out), parents[0]); !v.OK || v.Parents[1].Needed || !v.Parents[0].Needed {
		t.Errorf("%+v", v)
	}
	saved.Weights = [][]float64{{0, 1}} // the first never may
	if v := verify(open(t, out), parents[1]); v.OK {
		t.Errorf("%+v", v)
	}
	path := open(t, out).Files()[0]
	data := read(t, path)
	data[len(data)-1] ^= 1
	write(t, path, data)
	if v := verify(open(t, out), parents...); v.OK || v.SHA256 == v.Recorded {
		t.Errorf("a changed soup: %+v", v)
	}
}

func TestVerifyErrors(t *testing.T) {
	out, _ := written(t, WriteOptions{})
	saved := recipeOf(t, out)
	saved.SHA256 = ""
	_, err := Verify(t.Context(), open(t, out), saved, nil)
	wantError(t, err, "no sha256")
	if hint(err) == "" {
		t.Error("no hint")
	}
	saved = recipeOf(t, out)
	closed := open(t, out)
	closed.Close()
	_, err = Verify(t.Context(), closed, saved, nil)
	wantError(t, err, "closed")
	parent := small(t, 2)
	parent.Close()
	_, err = Verify(t.Context(), open(t, out), saved, []*Checkpoint{small(t, 1), parent})
	wantError(t, err, "closed")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, open(t, out), saved, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
