package results

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"io"
)

// WriteJSONLines writes the whole ledger, one JSON object a line, each with its
// kind in the field "type", in this order:
//
//	study    name, seed (text: it may not fit in a float64), created, config, settings
//	parent   name, hash
//	item     item (the id), category, cluster, split; in the order in which they were first answered
//	trial    number, strategy, label, key, weights, groups, state, of, reason, failure, merge_seconds, swap_seconds,
//	         eval_seconds, first_token_seconds, attempt, started, finished
//	outcome  trial, item, state, score, soft, answer, finish, error, failure, seconds, labels (log-probabilities, in nats,
//	         of the labels in their order), right (the place of the right one)
//	event    time, kind, detail
//	winner   trial, sha256, reason
//
// Numbers that are unknown are null, times that are unknown "". labels and right are
// null where the server scored none, and in studies of versions that did not keep
// them. Where parents and the winner lie is left
// out. A cached trial has no outcomes: those of the trial "of" are its own. The
// lines are one state of the ledger, also while a run is writing it, and memory
// does not grow with their number.
func (l *Ledger) WriteJSONLines(ctx context.Context, w io.Writer) error {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return l.wrap(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	out := bufio.NewWriter(w)
	s := lines{ctx, tx, json.NewEncoder(out), l.format >= labelsFormat}
	s.enc.SetEscapeHTML(false)
	for _, part := range []func() error{s.study, s.parents, s.items, s.trials, s.outcomes, s.events, s.winner} {
		if err := part(); err != nil {
			return l.wrap(err)
		}
	}
	return out.Flush()
}

// lines writes the tables of a ledger one after the other.
type lines struct {
	ctx context.Context
	tx  *sql.Tx
	enc *json.Encoder

	labels bool // the ledger has some
}

// each writes what make returns for every row of a query.
func (s lines) each(query string, row func(*sql.Rows) (any, error)) error {
	rows, err := s.tx.QueryContext(s.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		line, err := row(rows)
		if err != nil {
			return err
		}
		if err := s.enc.Encode(line); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s lines) study() error {
	about, _, err := load(s.tx)
	if err != nil {
		return begunYet(err)
	}
	settings := map[string]string{}
	for _, x := range about.Settings {
		settings[x.Name] = x.Value
	}
	return s.each(`SELECT seed, created FROM study`, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type     string            `json:"type"`
			Name     string            `json:"name"`
			Seed     string            `json:"seed"`
			Created  string            `json:"created"`
			Config   string            `json:"config"`
			Settings map[string]string `json:"settings"`
		}{Type: "study", Name: about.Name, Config: about.Config, Settings: settings}
		return &line, rows.Scan(&line.Seed, &line.Created)
	})
}

func (s lines) parents() error {
	return s.each(`SELECT name, hash FROM parents ORDER BY position`, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type string `json:"type"`
			Name string `json:"name"`
			Hash string `json:"hash"`
		}{Type: "parent"}
		return &line, rows.Scan(&line.Name, &line.Hash)
	})
}

func (s lines) items() error {
	return s.each(`SELECT item, category, cluster, split FROM items ORDER BY number`, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type     string `json:"type"`
			Item     string `json:"item"`
			Category string `json:"category"`
			Cluster  string `json:"cluster"`
			Split    string `json:"split"`
		}{Type: "item"}
		return &line, rows.Scan(&line.Item, &line.Category, &line.Cluster, &line.Split)
	})
}

// trialLine is a trial as a line; weights and groups are as the ledger has them.
type trialLine struct {
	Type     string          `json:"type"`
	Number   int             `json:"number"`
	Strategy string          `json:"strategy"`
	Label    string          `json:"label"`
	Key      string          `json:"key"`
	Weights  json.RawMessage `json:"weights"`
	Groups   json.RawMessage `json:"groups"`
	State    string          `json:"state"`
	Of       int             `json:"of"`
	Reason   string          `json:"reason"`
	Failure  string          `json:"failure"`
	Merge    float64         `json:"merge_seconds"`
	Swap     float64         `json:"swap_seconds"`
	Eval     float64         `json:"eval_seconds"`
	First    float64         `json:"first_token_seconds"`
	Attempt  int             `json:"attempt"`
	Started  string          `json:"started"`
	Finished string          `json:"finished"`
}

func (s lines) trials() error {
	return s.each(selectTrial+` ORDER BY number`, func(rows *sql.Rows) (any, error) {
		line := trialLine{Type: "trial"}
		var weights, groups string
		err := rows.Scan(&line.Number, &line.Strategy, &line.Label, &line.Key, &weights, &groups, &line.State, &line.Of, &line.Reason,
			&line.Merge, &line.Swap, &line.Eval, &line.Attempt, &line.Started, &line.Finished, &line.First, &line.Failure)
		line.Weights, line.Groups = json.RawMessage(weights), json.RawMessage(groups)
		return &line, err
	})
}

// outcomes come in the order of the primary keys, so that SQLite sorts nothing.
func (s lines) outcomes() error {
	columns, join := "NULL, NULL", ""
	if s.labels {
		columns, join = `b.logprobs, b."right"`, "LEFT JOIN labels b ON b.trial = o.trial AND b.item = o.item"
	}
	query := `SELECT o.trial, i.item, o.state, o.score, o.soft, o.answer, o.finish, o.error, o.failure, o.latency / 1e9, ` + columns + `
		FROM outcomes o CROSS JOIN items i ON i.number = o.item ` + join + ` ORDER BY o.trial, o.item`
	return s.each(query, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type    string          `json:"type"`
			Trial   int             `json:"trial"`
			Item    string          `json:"item"`
			State   string          `json:"state"`
			Score   *float64        `json:"score"`
			Soft    *float64        `json:"soft"`
			Answer  string          `json:"answer"`
			Finish  string          `json:"finish"`
			Error   string          `json:"error"`
			Failure string          `json:"failure"`
			Seconds float64         `json:"seconds"`
			Labels  json.RawMessage `json:"labels"`
			Right   *int            `json:"right"`
		}{Type: "outcome"}
		var labels sql.NullString
		err := rows.Scan(&line.Trial, &line.Item, &line.State, &line.Score, &line.Soft, &line.Answer,
			&line.Finish, &line.Error, &line.Failure, &line.Seconds, &labels, &line.Right)
		if labels.Valid {
			line.Labels = json.RawMessage(labels.String)
		}
		return &line, err
	})
}

func (s lines) events() error {
	return s.each(`SELECT time, kind, detail FROM events ORDER BY number`, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type   string          `json:"type"`
			Time   string          `json:"time"`
			Kind   string          `json:"kind"`
			Detail json.RawMessage `json:"detail"`
		}{Type: "event"}
		var detail string
		err := rows.Scan(&line.Time, &line.Kind, &detail)
		line.Detail = json.RawMessage(detail)
		return &line, err
	})
}

func (s lines) winner() error {
	return s.each(`SELECT trial, sha256, reason FROM winner`, func(rows *sql.Rows) (any, error) {
		line := struct {
			Type   string          `json:"type"`
			Trial  int             `json:"trial"`
			SHA256 string          `json:"sha256"`
			Reason json.RawMessage `json:"reason"`
		}{Type: "winner"}
		var reason string
		err := rows.Scan(&line.Trial, &line.SHA256, &reason)
		line.Reason = json.RawMessage(reason)
		return &line, err
	})
}
