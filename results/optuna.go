package results

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteOptuna writes a study as a journal of Optuna, one JSON object a line:
// what optuna.storages.JournalStorage and optuna-dashboard read
// (https://optuna.readthedocs.io/en/stable/reference/generated/optuna.storages.journal.JournalFileBackend.html).
// report is of the same ledger, which may still be written to: trials that it
// lacks are left out, and states are its own.
//
// A trial keeps its number. Its parameters are its weights, PARENT or
// GROUP/PARENT, between 0 and 1 or what is needed to hold them all; the base has
// none but zeros. Its value is the mean on search, to be maximised; a complete
// trial without one, and one that failed, is FAIL. Its intermediate values are
// the scores of the search items, each at the item's number in the ledger, from
// 1: the instance ids of Optuna's WilcoxonPruner. A cached trial is COMPLETE, with value and scores of
// the trial that holds them.
//
// Times are those of zone without a zone, as Optuna 4 wants them; nil is the
// machine's own.
func (l *Ledger) WriteOptuna(ctx context.Context, w io.Writer, report Report, zone *time.Location) error {
	about, parents, err := l.Study()
	if err != nil {
		return err
	}
	trials, err := l.Trials()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	j := journal{ledger: l, about: about, report: report, zone: cmp.Or(zone, time.Local), enc: json.NewEncoder(out)}
	j.enc.SetEscapeHTML(false)
	if err := j.study(parents); err != nil {
		return err
	}
	j.measure(trials)
	for i, t := range trials[:min(len(trials), len(report.Trials))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := j.trial(t, report.Trials[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

// journal is a journal that is being written.
type journal struct {
	ledger *Ledger
	about  Study
	report Report
	zone   *time.Location
	enc    *json.Encoder
	spread string   // the distribution of every weight
	groups []string // of the study's trials; nil if none has any
}

// The operations that are used, and the states of a trial
// (optuna/storages/journal/_storage.py, optuna/trial/_state.py).
const (
	opCreateStudy = 0
	opStudyUser   = 2
	opStudySystem = 3
	opCreateTrial = 4

	optunaRunning  = 0
	optunaComplete = 1
	optunaPruned   = 2
	optunaFail     = 3

	optunaMaximize = 2
	optunaWorker   = "soup"
)

type journalRecord struct {
	Op     int    `json:"op_code"`
	Worker string `json:"worker_id"`
}

// noteLength is the most characters of a piece of a note (optuna_dashboard/_note.py).
const noteLength = 2045

// study creates the study, with what there is to know about it: the name of its
// value, the parents, and a note that the dashboard shows.
func (j *journal) study(parents []Parent) error {
	if err := j.enc.Encode(struct {
		journalRecord
		Name       string `json:"study_name"`
		Directions []int  `json:"directions"`
	}{journalRecord{opCreateStudy, optunaWorker}, j.about.Name, []int{optunaMaximize}}); err != nil {
		return err
	}
	hashes := map[string]string{}
	for _, p := range parents {
		hashes[p.Name] = p.Hash
	}
	note := "Written by soup. The value is the mean score on the search items; intermediate values are item scores, by the item's number. Result: " +
		j.report.outcome() + "."
	attributes := []struct {
		op    int
		name  string
		value any
	}{
		{opStudyUser, "seed", strconv.FormatUint(j.about.Seed, 10)},
		{opStudyUser, "parents", hashes},
		{opStudySystem, "dashboard:note_ver", 1},
		{opStudySystem, "dashboard:note_str:0", note[:min(len(note), noteLength)]},
		{opStudySystem, "study:metric_names", []string{"search"}}, // last: the reader in the browser forgets it at the next
	}
	for _, a := range attributes {
		if err := j.attribute(a.op, a.name, a.value); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) attribute(op int, name string, value any) error {
	type attribute struct {
		journalRecord
		Study  int            `json:"study_id"`
		User   map[string]any `json:"user_attr,omitempty"`
		System map[string]any `json:"system_attr,omitempty"`
	}
	a := attribute{journalRecord: journalRecord{op, optunaWorker}}
	if op == opStudyUser {
		a.User = map[string]any{name: value}
	} else {
		a.System = map[string]any{name: value}
	}
	return j.enc.Encode(a)
}

// measure finds the range of all weights, and the groups.
func (j *journal) measure(trials []Trial) {
	low, high := 0.0, 1.0
	for _, t := range trials {
		if t.Groups != nil {
			j.groups = t.Groups
		}
		for _, row := range t.Weights {
			for _, w := range row {
				low, high = min(low, w), max(high, w)
			}
		}
	}
	j.spread = fmt.Sprintf(`{"name":"FloatDistribution","attributes":{"step":null,"low":%s,"high":%s,"log":false}}`, pythonFloat(low), pythonFloat(high))
}

// createTrial is a trial in one record. The reader in the browser
// (tslib/storage/src/journal.ts of optuna-dashboard) wants "value", not "values", and
// none where there is none; of intermediate values it knows nothing here.
type createTrial struct {
	journalRecord
	Study         int               `json:"study_id"`
	Started       string            `json:"datetime_start"`
	Finished      string            `json:"datetime_complete,omitempty"`
	State         int               `json:"state"`
	Value         *pythonNumber     `json:"value,omitempty"`
	Distributions map[string]string `json:"distributions"`
	Params        orderedNumbers    `json:"params"`
	User          map[string]any    `json:"user_attrs"`
	System        map[string]any    `json:"system_attrs"`
	Intermediate  orderedNumbers    `json:"intermediate_values"`
}

func (j *journal) trial(t Trial, shown TrialReport) error {
	r := createTrial{
		journalRecord: journalRecord{opCreateTrial, optunaWorker},
		Started:       j.time(cmp.Or(t.Started, j.about.Created)),
		Distributions: map[string]string{},
		User:          j.userAttributes(t, shown),
		System:        map[string]any{},
	}
	for _, p := range j.weights(t) {
		r.Params = append(r.Params, p)
		r.Distributions[p.name] = j.spread
	}
	var mean *float64
	if shown.Scores.Search != nil {
		mean = shown.Scores.Search.Mean
	}
	switch {
	case shown.State == Running:
		r.State = optunaRunning
	case shown.State == Pruned:
		r.State = optunaPruned
	case shown.State != Failed && mean != nil:
		r.State, r.Value = optunaComplete, (*pythonNumber)(mean)
	default:
		r.State = optunaFail
	}
	if shown.State != Running {
		r.Finished = j.time(cmp.Or(t.Finished, t.Started, j.about.Created))
	}
	var err error
	if r.Intermediate, err = j.scores(shown.Of); err != nil {
		return err
	}
	return j.enc.Encode(r)
}

// userAttributes are columns of the dashboard's table. None may be null: its
// reader in the browser cannot take it.
func (j *journal) userAttributes(t Trial, shown TrialReport) map[string]any {
	user := map[string]any{"strategy": t.Strategy, "label": t.Label, "state": shown.State}
	for name, s := range map[string]*Score{Search: shown.Scores.Search, Selection: shown.Scores.Selection, Test: shown.Scores.Test} {
		if s == nil {
			continue
		}
		user[name+" n"] = s.N
		if s.Mean != nil {
			user[name] = *s.Mean
		}
	}
	for name, text := range map[string]string{"reason": shown.Reason, "failure": shown.Failure} {
		if text != "" {
			user[name] = text
		}
	}
	if shown.State == Cached {
		user["of"] = shown.Of
	}
	if j.report.Winner != nil && j.report.Winner.Trial == t.Number {
		user["winner"] = true
	}
	return user
}

// weights are a trial's parameters. One row for all tensors, in a study of
// groups, is that of every group.
func (j *journal) weights(t Trial) (list orderedNumbers) {
	for g := range max(1, len(j.groups)) {
		row, prefix := t.Weights[min(g, len(t.Weights)-1)], ""
		if j.groups != nil {
			prefix = j.groups[g] + "/"
		}
		for i, w := range row {
			list = append(list, namedNumber{prefix + j.report.Parents[i], w})
		}
	}
	return list
}

// scores are those of a trial's search items, by number.
func (j *journal) scores(trial int) (orderedNumbers, error) {
	list, err := collect(j.ledger.db, func(rows *sql.Rows) (x namedNumber, err error) {
		return x, rows.Scan(&x.name, &x.value)
	}, `SELECT o.item, o.score FROM outcomes o JOIN items i ON i.number = o.item
		WHERE o.trial = ? AND i.split = ? AND o.score IS NOT NULL ORDER BY o.item`, trial, Search)
	return list, j.ledger.wrap(err)
}

// time is naive: with a zone, Optuna 4 cannot subtract it from its own.
func (j *journal) time(t time.Time) string {
	return t.In(j.zone).Format("2006-01-02T15:04:05.000000")
}

// namedNumber is a member of an object.
type namedNumber struct {
	name  string
	value float64
}

// orderedNumbers is an object of numbers in this order.
type orderedNumbers []namedNumber

// MarshalJSON implements json.Marshaler.
func (o orderedNumbers) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(x.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(pythonFloat(x.value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// pythonNumber is a float for Python, where 1 is none.
type pythonNumber float64

// MarshalJSON implements json.Marshaler.
func (x pythonNumber) MarshalJSON() ([]byte, error) { return []byte(pythonFloat(float64(x))), nil }

// pythonFloat writes a finite number with a point or an exponent, and every
// digit that reading it back takes.
func pythonFloat(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}
