package study

import (
	"encoding/json"
	"fmt"
	"slices"

	"soup/results"
)

// What a reader of a ledger needs to know of a study without its whole report.

// CategoryWeights are the objective's weights; nil where all categories weigh 1.
func CategoryWeights(s results.Study) (weights map[string]float64, err error) {
	text, given := setting(s, objectiveSetting)
	if !given {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &weights); err != nil {
		return nil, fmt.Errorf("setting %s: %w", objectiveSetting, err)
	}
	return weights, nil
}

// ServerIdentity is all about the study's server that scores depend on.
func ServerIdentity(s results.Study) string {
	text, _ := setting(s, serverSetting)
	return text
}

// HasKeep reports whether the objective names categories that must be kept.
func HasKeep(s results.Study) bool {
	_, given := setting(s, keepSetting)
	return given
}

func setting(s results.Study, name string) (value string, given bool) {
	i := slices.IndexFunc(s.Settings, func(x results.Setting) bool { return x.Name == name })
	if i < 0 {
		return "", false
	}
	return s.Settings[i].Value, true
}

// ScoreOf is what the report says of a trial on a split; nil where it has no
// outcomes there. It reads the outcomes of this one trial.
func ScoreOf(l *results.Ledger, trial int, split string, weights map[string]float64) (*results.Score, error) {
	outcomes, err := l.Outcomes(trial, split)
	if err != nil || len(outcomes) == 0 {
		return nil, err
	}
	score := scoring(weights)(outcomes)
	return &score, nil
}

// OpenForReading opens the ledger of a study's folder.
func OpenForReading(dir string) (*results.Ledger, error) { return openForReading(dir) }
