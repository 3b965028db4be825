package comparison

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"soup/internal/study"
	"soup/internal/usage"
	"soup/results"
)

// Comparison is several finished studies beside each other. Scores are means of
// item scores on test, 0 to 1.
type Comparison struct {
	Studies    []Study    `json:"studies"`
	Strategies []Strategy `json:"strategies"` // those of two studies or more, best mean rank first
	Pairs      []Pair     `json:"pairs"`      // of winners on the same test items
	Seeds      []Seeds    `json:"seeds"`      // studies with several seeds
	Duels      []Duel     `json:"duels"`      // of strategies
	Budgets    Budgets    `json:"budgets"`
	Paces      []Pace     `json:"paces"` // at equal cost

	reports []results.Report
}

// Study is one study with its winner.
type Study struct {
	Dir        string         `json:"dir"`
	Name       string         `json:"name"`
	Seed       uint64         `json:"seed"`
	Parents    int            `json:"parents"`
	Candidates int            `json:"candidates"`
	Items      int            `json:"items_answered"`
	Winner     string         `json:"winner"`
	Test       *results.Score `json:"test"`
	// AgainstBestSingle is the winner's, on test; nil where the best single won.
	AgainstBestSingle *results.Difference `json:"against_best_single"`
}

// Strategy is one strategy over all studies that ran it. Its best candidate by
// search counts, once a study.
type Strategy struct {
	Name     string   `json:"name"`
	Studies  int      `json:"studies"`
	Tried    float64  `json:"tried"`     // candidates, mean
	MeanRank *float64 `json:"mean_rank"` // by test, among the strategies that ran in every study; 1 is best, equal scores share their mean rank; nil for others
	Test     float64  `json:"test"`      // mean over studies
	Spread   *float64 `json:"spread"`    // standard deviation over studies; nil for one
	Gain     *float64 `json:"gain"`      // mean difference to the best single; nil for the best single itself
	Better   int      `json:"better"`    // studies in which it is better than the best single, by the paired test
	Noise    int      `json:"noise"`     // in which it cannot be told from it
	Worse    int      `json:"worse"`     // in which it is worse

	Quartiles *Quartiles `json:"quartiles"` // of Test over studies
	// Wins, Ties and Losses are against every other strategy in every study, by the
	// paired test.
	Wins   int `json:"wins"`
	Ties   int `json:"ties"`
	Losses int `json:"losses"`
}

// Pair sets the winners of two studies against each other.
type Pair struct {
	Of      string `json:"of"` // folders
	Against string `json:"against"`
	results.Difference
}

// Form says how to print a comparison: one of these, or none for text.
type Form struct{ JSON, CSV, Markdown bool }

// Run compares the studies of the folders and prints what it found.
func Run(ctx context.Context, w io.Writer, dirs []string, f Form) error {
	if f.JSON && f.CSV || f.JSON && f.Markdown || f.CSV && f.Markdown {
		return &usage.Error{Message: "give one of --json, --csv and --md"}
	}
	c, err := Compare(ctx, dirs)
	switch {
	case err != nil:
		return err
	case f.JSON:
		return c.WriteJSON(w)
	case f.CSV:
		return c.WriteCSV(w)
	case f.Markdown:
		return c.WriteMarkdown(w)
	}
	return c.WriteText(w)
}

// Compare reads the studies of the folders. One that is not finished is an error.
func Compare(ctx context.Context, dirs []string) (*Comparison, error) {
	c := &Comparison{Pairs: []Pair{}, Seeds: []Seeds{}, Duels: []Duel{}, Paces: []Pace{}}
	var reports []results.Report
	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			return nil, usage.Errorf("%s is given twice", dir)
		}
		r, err := study.BuildReport(ctx, dir)
		if err != nil {
			return nil, err
		}
		if r.Winner == nil {
			return nil, &usage.Error{Message: dir + ": the study is not finished", Advice: "soup run goes on with it"}
		}
		reports = append(reports, r)
		c.Studies = append(c.Studies, summary(dir, r))
	}
	c.reports = reports
	c.addStrategies(reports)
	c.addSeeds(reports)
	c.addPaces(reports)
	if err := c.addDuels(ctx, dirs, reports); err != nil {
		return nil, err
	}
	for i, dir := range dirs {
		for _, other := range dirs[i+1:] {
			d, same, err := study.CompareWinners(dir, other)
			if err != nil {
				return nil, err
			}
			if same {
				c.Pairs = append(c.Pairs, Pair{dir, other, d})
			}
		}
	}
	return c, nil
}

func summary(dir string, r results.Report) Study {
	s := Study{Dir: dir, Name: r.Study, Seed: r.Seed, Parents: len(r.Parents), Candidates: r.Candidates, Items: r.ItemsAnswered, Winner: r.Winner.Label}
	for _, t := range r.Trials {
		if t.Number == r.Winner.Trial {
			s.Test = t.Scores.Test
		}
	}
	for _, x := range r.Comparisons {
		if x.Of == results.OfWinner && x.Against == results.OfBestSingle && x.Split == results.Test {
			s.AgainstBestSingle = &x.Difference
		}
	}
	return s
}

// addStrategies gathers the rows of the reports by strategy.
func (c *Comparison) addStrategies(reports []results.Report) {
	rows := map[string][]results.StrategyReport{}
	var names []string
	for _, r := range reports {
		for _, s := range r.Strategies {
			if s.Strategy == results.OfWinner || s.Scores.Test == nil || s.Scores.Test.Mean == nil {
				continue // a winner that is not the best of its strategy is no strategy
			}
			if rows[s.Strategy] == nil {
				names = append(names, s.Strategy)
			}
			rows[s.Strategy] = append(rows[s.Strategy], s)
		}
	}
	ranks := meanRanks(names, rows, len(reports))
	for _, name := range names {
		s := gather(name, rows[name])
		if rank, ok := ranks[name]; ok {
			s.MeanRank = &rank
		}
		c.Strategies = append(c.Strategies, s)
	}
	slices.SortStableFunc(c.Strategies, func(a, b Strategy) int { return compareRank(a.MeanRank, b.MeanRank) })
}

// compareRank sorts strategies without a rank last.
func compareRank(a, b *float64) int {
	value := func(r *float64) float64 {
		if r == nil {
			return math.Inf(1)
		}
		return *r
	}
	return cmp.Compare(value(a), value(b))
}

func gather(name string, rows []results.StrategyReport) Strategy {
	s := Strategy{Name: name, Studies: len(rows)}
	var test, gains []float64
	for _, row := range rows {
		test = append(test, *row.Scores.Test.Mean)
		s.Tried += float64(row.Candidates) / float64(len(rows))
		if row.AgainstBestSingle == nil {
			continue
		}
		gains = append(gains, row.AgainstBestSingle.Delta)
		switch row.AgainstBestSingle.Verdict {
		case results.Better:
			s.Better++
		case results.Worse:
			s.Worse++
		default:
			s.Noise++
		}
	}
	s.Test, s.Quartiles = stat.Mean(test, nil), quartiles(test)
	if len(test) > 1 {
		spread := stat.StdDev(test, nil)
		s.Spread = &spread
	}
	if len(gains) > 0 {
		gain := stat.Mean(gains, nil)
		s.Gain = &gain
	}
	return s
}

// meanRanks ranks the strategies that ran in each of the studies.
func meanRanks(names []string, rows map[string][]results.StrategyReport, studies int) map[string]float64 {
	var common []string
	for _, name := range names {
		if len(rows[name]) == studies {
			common = append(common, name)
		}
	}
	ranks := map[string]float64{}
	for i := range studies {
		for _, name := range common {
			own := *rows[name][i].Scores.Test.Mean
			rank := 1.0
			for _, other := range common {
				switch v := *rows[other][i].Scores.Test.Mean; {
				case v > own:
					rank++
				case v == own && other != name:
					rank += 0.5
				}
			}
			ranks[name] += rank / float64(studies)
		}
	}
	return ranks
}

func title(name string) string {
	if name == "single" {
		return "best single"
	}
	return name
}

func points(v float64) string { return fmt.Sprintf("%.1f", 100*v) }
