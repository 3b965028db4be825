package results

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBegin(t *testing.T) {
	l := begun(t)
	want, parents := someStudy()
	for range 2 { // begun, and begun again
		s, p, err := l.Study()
		must(t, err)
		if diff := cmp.Diff(want, s); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(parents, p); diff != "" {
			t.Error(diff)
		}
		again, _ := someStudy()
		again.Created = time.Now()
		must(t, l.Begin(again, parents))
	}
	if events, err := l.Events(""); err != nil || len(events) > 0 {
		t.Errorf("events %v, error %v", events, err)
	}
}

func TestBeginStampsTheTime(t *testing.T) {
	l := open(t, t.TempDir())
	s, parents := someStudy()
	s.Created = time.Time{}
	must(t, l.Begin(s, parents))
	if s, _, err := l.Study(); err != nil || s.Created.IsZero() {
		t.Errorf("created %v, error %v", s.Created, err)
	}
}

func TestStudyNotBegun(t *testing.T) {
	l := open(t, t.TempDir())
	_, _, err := l.Study()
	refuses(t, l, err, "holds no study yet")
	if hint(err) == "" {
		t.Error("no hint")
	}
}

func TestBeginChanged(t *testing.T) {
	check := func(name string, change func(*Study, *[]Parent), want ...Change) {
		t.Run(name, func(t *testing.T) {
			l := begun(t)
			s, parents := someStudy()
			change(&s, &parents)
			s.Config += "# edited\n"
			err := l.Begin(s, parents)
			var changed *ChangedError
			if !errors.As(err, &changed) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(want, changed.Changes); diff != "" {
				t.Error(diff)
			}
			if changed.Dir != l.Dir() || hint(err) == "" {
				t.Errorf("dir %q, hint %q", changed.Dir, hint(err))
			}
			was, wantParents := someStudy()
			now, parents, err := l.Study()
			must(t, err)
			if !cmp.Equal(was, now) || !cmp.Equal(wantParents, parents) {
				t.Error("a refused Begin changed the ledger")
			}
		})
	}
	check("name", func(s *Study, _ *[]Parent) { s.Name = "n2" }, Change{"study", "night-1", "n2"})
	check("seed", func(s *Study, _ *[]Parent) { s.Seed = 2 }, Change{"seed", "18446744073709551615", "2"})
	check("setting", func(s *Study, _ *[]Parent) { s.Settings[0].Value = "sha256:bb" }, Change{"items", "sha256:aa", "sha256:bb"})
	check("new setting", func(s *Study, _ *[]Parent) { s.Settings = append(s.Settings, Setting{"groups", "global"}) }, Change{"groups", "", "global"})
	check("setting gone", func(s *Study, _ *[]Parent) { s.Settings = s.Settings[:1] }, Change{"store", "bfloat16", ""})
	check("content", func(_ *Study, p *[]Parent) { (*p)[1].Hash = "sha256:99" }, Change{"parent arith", "sha256:02", "sha256:99"})
	check("new parent", func(_ *Study, p *[]Parent) { *p = append(*p, Parent{"quiz", "q", "sha256:03"}) }, Change{"parent quiz", "", "sha256:03"})
	check("parent gone", func(_ *Study, p *[]Parent) { *p = (*p)[:1] }, Change{"parent arith", "sha256:02", ""})
	check("order", func(_ *Study, p *[]Parent) { slices.Reverse(*p) }, Change{"order of parents", "order, arith", "arith, order"})
	check("several", func(s *Study, p *[]Parent) { s.Seed = 2; (*p)[0].Name = "sort" },
		Change{"seed", "18446744073709551615", "2"}, Change{"parent order", "sha256:01", ""}, Change{"parent sort", "", "sha256:01"})
}

func TestChangedErrorText(t *testing.T) {
	err := &ChangedError{"build/demo", []Change{{"seed", "1", "2"}, {"groups", "", "global"}, {"store", "bfloat16", ""}}}
	want := "the study in build/demo was begun differently: seed was 1, is 2; groups is new (global); store is gone (was bfloat16)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// Settings whose order changed are the same settings; moved parents and an
// edited file are brought up to date.
func TestBeginMayChange(t *testing.T) {
	l := begun(t)
	s, parents := someStudy()
	slices.Reverse(s.Settings)
	s.Config = "study: night-1\nbudget: {trials: 500}\n"
	parents[0].Path = "elsewhere/order"
	must(t, l.Begin(s, parents))
	got, gotParents, err := l.Study()
	must(t, err)
	if got.Config != s.Config || gotParents[0].Path != "elsewhere/order" || gotParents[1].Path != "ckpt/arith" {
		t.Errorf("config %q, parents %v", got.Config, gotParents)
	}
	events, err := l.Events("config")
	must(t, err)
	if len(events) != 1 || string(events[0].Detail) != `"study: night-1\n"` {
		t.Errorf("events %v", events)
	}
}

func TestBeginRefusesTwins(t *testing.T) {
	l := open(t, t.TempDir())
	s, parents := someStudy()
	parents[1].Name = parents[0].Name
	if err := l.Begin(s, parents); err == nil {
		t.Error("two parents of one name")
	}
	if _, _, err := l.Study(); err == nil {
		t.Error("a refused Begin left a study")
	}
}
