package benchmarks

import (
	"strings"

	"soup/eval"
)

// bfclSizes are the numbers of items in the official files by version, which
// weigh a live category that was not asked, with 0 right.
var bfclSizes = map[string]map[int]int{
	"live_simple": {3: 258, 4: 258}, "live_multiple": {3: 1053, 4: 1053}, "live_parallel": {3: 16, 4: 16},
	"live_parallel_multiple": {3: 24, 4: 24}, "live_irrelevance": {3: 882, 4: 884}, "live_relevance": {3: 18, 4: 16},
}

// bfclScore is a category's or a summary's accuracy; n is how many items it is
// of, missing which categories count as 0 in it.
type bfclScore struct {
	accuracy float64
	n        int
	missing  []string
}

// bfclTable has the scores of one leaderboard version by category.
type bfclTable struct {
	version int
	scores  map[string]bfclScore
}

func newBFCLTable(version int, items []eval.Item, outcomes []eval.Outcome) bfclTable {
	category := make(map[string]string, len(items))
	for _, it := range items {
		if strings.HasPrefix(it.Metric, "bfcl_") {
			category[it.ID] = it.Category
		}
	}
	t := bfclTable{version: version, scores: map[string]bfclScore{}}
	for _, o := range outcomes {
		c, ok := category[o.ID]
		if !ok || !o.Scored() {
			continue
		}
		s := t.scores[c]
		s.n++
		s.accuracy += o.Score // the sum, here
		t.scores[c] = s
	}
	for c, s := range t.scores {
		s.accuracy /= float64(s.n)
		t.scores[c] = s
	}
	return t
}

func (t bfclTable) get(category string) bfclScore {
	if s, ok := t.scores[category]; ok {
		return s
	}
	return bfclScore{n: bfclSizes[category][t.version], missing: []string{category}}
}

// mean is the unweighted mean.
func (t bfclTable) mean(scores ...bfclScore) (m bfclScore) {
	for _, s := range scores {
		m.accuracy += s.accuracy
		m.n += s.n
		m.missing = append(m.missing, s.missing...)
	}
	m.accuracy /= float64(len(scores))
	return m
}

// pooled is the mean weighted by the numbers of items.
func (t bfclTable) pooled(scores ...bfclScore) (m bfclScore) {
	for _, s := range scores {
		m.accuracy += s.accuracy * float64(s.n)
		m.n += s.n
		m.missing = append(m.missing, s.missing...)
	}
	m.accuracy /= float64(m.n)
	return m
}

func (t bfclTable) all(categories ...string) []bfclScore {
	scores := make([]bfclScore, len(categories))
	for i, c := range categories {
		scores[i] = t.get(c)
	}
	return scores
}

// bfclFigures are the leaderboard's scores, in percent, by the rules of
// bfcl_eval/eval_checker/eval_runner_helper.py (generate_leaderboard_csv):
// version 4 as of commit 6ea57973, version 3 as of the package bfcl-eval
// 2025.6.16. A category that was not asked counts 0, as there; several turns and
// agents always are such here. The note names them.
func bfclFigures(items []eval.Item, outcomes []eval.Outcome) []Figure {
	figures := append(bfclFourth(newBFCLTable(4, items, outcomes)), bfclThird(newBFCLTable(3, items, outcomes))...)
	if len(newBFCLTable(4, items, outcomes).scores) == 0 {
		return nil
	}
	return figures
}

func (t bfclTable) simple() bfclScore {
	return t.mean(t.all("simple_python", "simple_java", "simple_javascript")...)
}

func bfclFourth(t bfclTable) []Figure {
	simple := t.simple()
	nonLive := t.mean(simple, t.get("multiple"), t.get("parallel"), t.get("parallel_multiple"))
	live := t.pooled(t.all("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple")...)
	irrelevance := t.mean(t.all("irrelevance", "live_irrelevance")...)
	overall := t.mean(nonLive, live, irrelevance)
	overall.accuracy = 0.1*nonLive.accuracy + 0.1*live.accuracy + 0.1*irrelevance.accuracy
	overall.missing = append(overall.missing, "multi_turn", "agentic")
	return []Figure{
		overall.figure("v4 Overall Acc"), nonLive.figure("v4 Non-Live AST Acc"), simple.figure("v4 Non-Live Simple AST"),
		live.figure("v4 Live Acc"), irrelevance.figure("v4 Irrelevance Detection"), t.get("live_relevance").figure("v4 Relevance Detection"),
	}
}

func bfclThird(t bfclTable) []Figure {
	nonLive := t.mean(t.simple(), t.get("multiple"), t.get("parallel"), t.get("parallel_multiple"), t.get("irrelevance"))
	live := t.pooled(t.all("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple", "live_irrelevance", "live_relevance")...)
	overall := t.mean(nonLive, live, bfclScore{missing: []string{"multi_turn"}})
	return []Figure{overall.figure("v3 Overall Acc"), nonLive.figure("v3 Non-Live Acc"), live.figure("v3 Live Acc")}
}

func (s bfclScore) figure(name string) Figure {
	f := Figure{Name: name, Value: 100 * s.accuracy}
	if len(s.missing) > 0 {
		f.Note = "counted as 0: " + strings.Join(s.missing, ", ")
	}
	return f
}
