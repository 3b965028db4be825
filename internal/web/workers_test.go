package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"soup/internal/fleet"
	"soup/internal/follow"
	"soup/internal/study"
)

// Who scores is on the page while the study runs: those that left are not, those
// that were turned away stay.
func TestWorkersAreShown(t *testing.T) {
	w := begun(t, "night")
	w.phase("search", 0)
	s := serve(t, Options{Dir: w.Dir()})
	if _, text := s.get(t, "/"); strings.Contains(text, "<h2>Workers") {
		t.Error("a study without workers shows some")
	}
	v := s.watch(t, "")
	now := time.Now()
	must(t, w.Event("fleet", []study.Worker{
		{Presence: fleet.Presence{Worker: "box-1", Host: "<b>", GPU: "NVIDIA H200", Server: "vllm 9", State: "task 12-search-ab", Candidates: 1234, PerSecond: 7.25, Seen: now.Add(-40 * time.Second)}},
		{Presence: fleet.Presence{Worker: "box-2", Host: "box-2", State: "waiting", PerSecond: 20, Seen: now}},
		{Presence: fleet.Presence{Worker: "box-3", State: "waiting", Seen: now}, Change: "left"},
		{Presence: fleet.Presence{Worker: "liar", Seen: now}, Change: "left", Quarantined: "it scores 40 of 100 known items otherwise"},
	}))
	m := v.until(says("workers", "<h2>Workers"))
	for _, want := range []string{
		`Workers <span class="tally">2, 27 items/s, 1 quarantined`, `<tr><th>liar</th>`, `quarantined: it scores 40 of 100 known items otherwise`,
		`<tr><th>box-1</th><td class="more">&lt;b&gt;</td><td class="more">NVIDIA H200</td><td class="more">vllm 9</td><td>trial 12, search</td><td class="n">1,234</td><td class="n">7.2</td><td class="n">4`,
		`<td>waiting</td>`,
	} {
		if !strings.Contains(m.Parts["workers"], want) {
			t.Errorf("no %s in\n%s", want, m.Parts["workers"])
		}
	}
	if strings.Contains(m.Parts["workers"], "box-3") {
		t.Error("a worker that left is shown")
	}
	if _, text := s.get(t, "/metrics"); !strings.Contains(text, `soup_workers{state="present"} 2`+"\n") || !strings.Contains(text, `soup_workers{state="quarantined"} 1`+"\n") {
		t.Error("metrics lack workers")
	}
	w.phase("search", 0) // another run, alone
	v.until(func(m message) bool { p, sent := m.Parts["workers"]; return sent && p == "" })
}

// What was heard of workers gets older though the ledger does not grow.
func TestWorkersAge(t *testing.T) {
	w := begun(t, "night")
	s, err := Open(t.Context(), Options{Dir: w.Dir(), Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() {
		must(t, s.listener.Close())
		must(t, s.follower.Close())
	})
	renders := func() bool {
		long := time.Now().Add(-2 * aging)
		s.rendered = long
		must(t, s.look(t.Context()))
		return !s.rendered.Equal(long)
	}
	if renders() {
		t.Error("nothing has changed, and nobody is there to age")
	}
	must(t, w.Event("fleet", []study.Worker{{Presence: fleet.Presence{Worker: "a"}}}))
	for range 2 { // the news, and nothing new
		if !renders() {
			t.Error("workers do not age")
		}
	}
}

// Of many workers some are shown, of a study that stopped none.
func TestCrewOfMany(t *testing.T) {
	s := &follow.Study{Running: true, Tally: study.Tally{Workers: map[string]study.Worker{}}}
	for i := range 40 {
		name := fmt.Sprint("w", 10+i)
		s.Workers[name] = study.Worker{Presence: fleet.Presence{Worker: name}}
	}
	s.Workers["z"] = study.Worker{Presence: fleet.Presence{Worker: "z"}, Quarantined: "why"}
	c := view{Study: s}.Crew()
	if len(c.Shown) != shownWorkers || c.Hidden != 26 || c.Shown[0].Worker.Worker != "z" || c.Shown[1].Worker.Worker != "w10" || c.Total() != "40, 1 quarantined" {
		t.Errorf("%+v, %s", c, c.Total())
	}
	if s.Running = false; len(view{Study: s}.Crew().Shown) != 0 {
		t.Error("a study that nobody works on has workers")
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s ago", 119 * time.Second: "119 s ago", 3 * time.Minute: "3 min ago", 5 * time.Hour: "5 h ago"} {
		if got := ago(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
