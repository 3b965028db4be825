package web

import (
	"cmp"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"soup/internal/follow"
	"soup/internal/study"
	"soup/results"
)

// gauges are the metrics of a study: what was last read of it. Counts that could
// fall when a failed trial is tried again are gauges.
type gauges struct {
	mu      sync.Mutex
	values  []prometheus.Metric
	trouble bool
	viewers func() int
}

// metric is the description of one.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func newGauges(viewers func() int) *gauges { return &gauges{viewers: viewers} }

func describe(kind prometheus.ValueType, name, help string, labels ...string) metric {
	return metric{prometheus.NewDesc("soup_"+name, help, labels, nil), kind}
}

func (m metric) is(value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}

// Describe implements prometheus.Collector: what there is depends on the study.
func (g *gauges) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range g.values {
		to <- v
	}
	to <- describe(prometheus.GaugeValue, "viewers", "Pages that are open.").is(float64(g.viewers()))
}

// ill reports whether the study could not be read last time.
func (g *gauges) ill() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.trouble
}

// set notes what a study has become.
func (g *gauges) set(s *follow.Study, trouble error) {
	values := append(about(s), trials(s)...)
	values = append(values, spent(s)...)
	values = append(values, crew(s)...)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.values, g.trouble = values, trouble != nil
}

func about(s *follow.Study) []prometheus.Metric {
	gauge := func(name, help string, labels ...string) metric {
		return describe(prometheus.GaugeValue, name, help, labels...)
	}
	values := []prometheus.Metric{
		gauge("study_info", "The study that is shown.", "study", "seed", "server").is(1, s.Name, strconv.FormatUint(s.Seed, 10), s.Server),
		gauge("study_running", "Whether a process works on the study.").is(indicator(s.Running)),
		gauge("ledger_size_bytes", "Size of the study's file and its log.").is(float64(s.Size)),
		gauge("last_progress_timestamp_seconds", "When something was last recorded.").is(float64(s.Progressed().UnixMilli()) / 1000),
		gauge("candidates_expected", "Candidates known to come in this phase, done ones included.").is(float64(s.Candidates)),
		gauge("candidates_done", "Candidates of this phase that are done.").is(float64(s.Done())),
	}
	phase := gauge("study_phase", "1 for the phase that the study is in.", "phase")
	for _, name := range []string{follow.Starting, study.SearchPhase, study.SelectionPhase, study.TestPhase, study.FinishedPhase, follow.Stopped} {
		values = append(values, phase.is(indicator(s.Now() == name), name))
	}
	if s.Best != nil {
		values = append(values, gauge("best_search_score_ratio", "Highest search score so far, 0 to 1; optimistic until test.").is(*s.Best.Search))
	}
	if s.Single != nil {
		values = append(values, gauge("best_single_search_score_ratio", "Highest search score of a single checkpoint, 0 to 1.").is(*s.Single.Search))
	}
	return values
}

func indicator(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func trials(s *follow.Study) []prometheus.Metric {
	states, failures := map[[2]string]int{}, map[string]int{}
	for _, t := range s.Trials {
		states[[2]string{t.Strategy, t.State}]++
		if t.State == results.Failed {
			failures[cmp.Or(t.Failure, "other")]++
		}
	}
	var values []prometheus.Metric
	counts := describe(prometheus.GaugeValue, "trials", "Trials by strategy and state.", "strategy", "state")
	for key, n := range states {
		values = append(values, counts.is(float64(n), key[0], key[1]))
	}
	failed := describe(prometheus.GaugeValue, "trial_failures", "Failed trials by kind of failure.", "kind")
	for kind, n := range failures {
		values = append(values, failed.is(float64(n), kind))
	}
	return values
}

func spent(s *follow.Study) []prometheus.Metric {
	items := describe(prometheus.CounterValue, "items_total", "Items asked, by what became of them.", "state")
	seconds := describe(prometheus.CounterValue, "seconds_total", "Seconds spent on candidates that are done, by what on.", "kind")
	values := []prometheus.Metric{
		items.is(float64(s.Lost.N-s.Lost.Truncated), results.OK), items.is(float64(s.Lost.Truncated), results.Truncated),
		items.is(float64(s.Lost.Failed), results.Failed), items.is(float64(s.Lost.Timeout), results.Timeout),
		seconds.is(s.Cost.Merge, "merge"), seconds.is(s.Cost.Swap, "swap"), seconds.is(s.Cost.Eval, "eval"),
		describe(prometheus.CounterValue, "swaps_total", "Times that the server loaded another candidate.").is(float64(s.Swaps)),
	}
	if idle := s.Idle(); idle != nil {
		values = append(values, describe(prometheus.GaugeValue, "server_idle_ratio", "Share of the time in which the server had nothing to do.").is(*idle))
	}
	return values
}

// crew counts workers; none without any.
func crew(s *follow.Study) []prometheus.Metric {
	c := view{Study: s}.Crew()
	if c.There+c.Away == 0 {
		return nil
	}
	workers := describe(prometheus.GaugeValue, "workers", "Workers that score for the study, and those that were turned away.", "state")
	return []prometheus.Metric{workers.is(float64(c.There), "present"), workers.is(float64(c.Away), "quarantined")}
}
