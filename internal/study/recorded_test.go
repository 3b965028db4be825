package study

import (
	"path/filepath"
	"slices"
	"testing"

	"soup/results"
)

// Where a study file lies is noted; in older ledgers it follows from the parents'
// paths, or it lay beside the study's folder.
func TestFolderOfStudyFile(t *testing.T) {
	l, err := results.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.Begin(results.Study{Name: "old", Config: "parents: [{path: ../ckpt/a}, {path: b}]\n"}, []results.Parent{{Name: "a", Path: "/data/ckpt/a", Hash: "1"}, {Name: "b", Path: "/data/studies/b", Hash: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	folders := func() (list []string) {
		r, err := recorded(l.Dir(), l)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.files() {
			list = append(list, filepath.Dir(f))
		}
		return list
	}
	beside := filepath.Dir(l.Dir())
	if got := folders(); !slices.Equal(got, []string{"/data/studies", beside}) {
		t.Errorf("%q", got)
	}
	if err := l.Event(fileEvent, "/elsewhere/old.yaml"); err != nil {
		t.Fatal(err)
	}
	if got := folders(); !slices.Equal(got, []string{"/elsewhere", "/data/studies", beside}) {
		t.Errorf("%q", got)
	}
}
