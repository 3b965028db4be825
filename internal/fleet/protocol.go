package fleet

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
)

// Protocol is the version of what coordinator and workers say to each other. Those
// of different versions do not work together.
const Protocol = 2

// Card is what a worker is told about a study before it takes a task.
type Card struct {
	Protocol    int             `json:"protocol"`
	Study       string          `json:"study"`       // its name, for people
	Fingerprint string          `json:"fingerprint"` // hash of all that an answer depends on
	Body        json.RawMessage `json:"body"`
}

// Task is one thing to do. Equal IDs are equal tasks; an ID has letters, digits
// and hyphens only.
type Task struct {
	ID      string          `json:"id"`
	Payload json.RawMessage `json:"payload"`
}

// Result is what became of a task.
type Result struct {
	Task    string          `json:"task"`
	Worker  string          `json:"worker"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Failed  string          `json:"failed,omitempty"` // why there is no payload and will be none
}

// Presence is what a worker says of itself every few seconds.
type Presence struct {
	Worker     string    `json:"worker"`
	Host       string    `json:"host"`
	GPU        string    `json:"gpu,omitempty"`
	Server     string    `json:"server"`
	State      string    `json:"state"` // probing, waiting, or the task that it works on
	Candidates int       `json:"candidates"`
	Items      int       `json:"items"`
	PerSecond  float64   `json:"per_second"` // items, while it worked
	Seen       time.Time `json:"seen"`
}

// Admitted reports whether the worker takes tasks, as it says.
func (p Presence) Admitted() bool { return p.State != "" && p.State != probing }

// application is what a worker asks the coordinator before its first task, and
// verdict the answer.
type application struct {
	Worker      string          `json:"worker"`
	Protocol    int             `json:"protocol"`
	Fingerprint string          `json:"fingerprint"`
	Answer      json.RawMessage `json:"answer,omitempty"` // of the probe
}

// Verdict says whether a worker may take tasks. Probe is a task whose answer is
// known; without it, and neither admitted nor refused, the worker asks again.
type Verdict struct {
	Admitted bool   `json:"admitted,omitempty"`
	Probe    *Task  `json:"probe,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

// names of a study in the queue. The id is part of subjects and streams.
type names struct{ id, fingerprint string }

func (n names) tasks() string              { return "SOUP-" + n.id + "-TASKS" }
func (n names) results() string            { return "SOUP-" + n.id + "-RESULTS" }
func (n names) workers() string            { return "SOUP-" + n.id + "-WORKERS" }
func (n names) cards() string              { return "SOUP-" + n.id }
func (n names) pieces() string             { return "SOUP-" + n.id + "-PIECES" }
func (n names) subject(part string) string { return "soup." + n.id + "." + part }
func (n names) taskPrefix() string         { return n.subject("task." + n.fingerprint + ".") }
func (n names) resultPrefix() string       { return n.subject("result.") }
func (n names) task(id string) string      { return n.taskPrefix() + id }
func (n names) result(id string) string    { return n.resultPrefix() + id }

// studies is the bucket that lists the studies of a queue, by id.
const studies = "SOUP-STUDIES"

// listing is a study there.
type listing struct {
	Name        string `json:"name"`
	Protocol    int    `json:"protocol"`
	Fingerprint string `json:"fingerprint"`
}

// packed above this many bytes: text shrinks to a quarter.
const packed = 4 << 10

// encode makes a message of a value.
func encode(subject string, v any) (*nats.Msg, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	m := nats.NewMsg(subject)
	m.Data = raw
	if len(raw) <= packed {
		return m, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(raw)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	m.Data = b.Bytes()
	m.Header.Set("Content-Encoding", "gzip")
	return m, nil
}

// largest is the most bytes that a message may unpack to.
const largest = 256 << 20

func decode(header nats.Header, data []byte, v any) error {
	if header.Get("Content-Encoding") == "gzip" {
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if data, err = io.ReadAll(io.LimitReader(r, largest+1)); err != nil {
			return err
		}
		if len(data) > largest {
			return fmt.Errorf("a message of more than %d bytes", largest)
		}
	}
	return json.Unmarshal(data, v)
}
