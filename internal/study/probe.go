package study

// midpointProbe is the only probe that there is, and the strategy that it runs.
const midpointProbe = "midpoints"

// always says whether a strategy runs whatever the budget is, and asks all search
// items: the baselines, and the probe.
func (c *Config) always(strategy string) bool { return isBaseline(strategy) || strategy == c.Probe }

// probe is the probe's strategy, allowed all the pairs that there are.
func (c *Config) probe() StrategySpec {
	n := len(c.Parents.List)
	return StrategySpec{Name: c.Probe, Options: map[string]any{"budget": n * (n + 1) / 2}}
}

// warnOfProbe says, before the search, which parents the probe speaks against.
func (s *session) warnOfProbe() error {
	m, err := readMidway(s.space.Parents, s.config.Objective.Weights, s.trials, s.outcomes)
	if err != nil {
		return err
	}
	for _, f := range m.measure().Findings() {
		s.warn(f.Code + ": " + f.Parent + ": " + f.Message + "; " + f.Remedy)
	}
	return nil
}
