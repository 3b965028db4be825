package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"soup/internal/study"
)

const (
	// shownWorkers is how many workers the page has at most.
	shownWorkers = 15
	// aging is the time after which what was heard of workers is shown as older,
	// whether the ledger has grown or not.
	aging = 5 * time.Second
)

// workers are those of a running study: the ones that were turned away, then by name.
type workers struct {
	Shown  []workerRow
	There  int     // all that were not turned away
	Away   int     // that were
	Rate   float64 // items a second of those that are there
	Hidden int
}

type workerRow struct {
	study.Worker
	Rate, Heard string
}

// Crew is who scores; it has no one where the study has no workers.
func (v view) Crew() (c workers) {
	if !v.Running {
		return c
	}
	for _, w := range v.Workers {
		switch {
		case w.Quarantined != "":
			c.Away++
		case w.Gone():
			continue
		default:
			c.There++
			c.Rate += w.PerSecond
		}
		c.Shown = append(c.Shown, workerRow{w, rate(w.PerSecond), ago(v.now.Sub(w.Seen))})
	}
	slices.SortFunc(c.Shown, func(a, b workerRow) int {
		if away := a.Quarantined != ""; away != (b.Quarantined != "") {
			return map[bool]int{true: -1, false: 1}[away]
		}
		return strings.Compare(a.Worker.Worker, b.Worker.Worker)
	})
	c.Hidden = max(0, len(c.Shown)-shownWorkers)
	c.Shown = c.Shown[:len(c.Shown)-c.Hidden]
	return c
}

// Total is what all of them do.
func (c workers) Total() string {
	text := count(c.There)
	if c.Rate > 0 {
		text += ", " + rate(c.Rate) + " items/s"
	}
	if c.Away > 0 {
		text += fmt.Sprintf(", %d quarantined", c.Away)
	}
	return text
}

// rate is items a second; "–" for none.
func rate(x float64) string {
	switch {
	case x <= 0:
		return "–"
	case x < 10:
		return fmt.Sprintf("%.1f", x)
	}
	return count(int(x + .5))
}

// ago is how long something is past.
func ago(d time.Duration) string {
	switch d = max(0, d); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h ago", int(d.Hours()))
}
