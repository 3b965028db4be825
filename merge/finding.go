package merge

import (
	"fmt"
	"strings"

	"soup/merge/internal/remedy"
)

// Severities of a [Finding].
const (
	Refuse = "refuse" // these checkpoints are not averaged
	Warn   = "warn"   // the soup may be bad
	Note   = "note"   // worth knowing
)

// Finding is one thing that [Check] or [Scan] found.
type Finding struct {
	Code     string `json:"code"`     // such as "shape"; docs/findings.md lists them
	Severity string `json:"severity"` // Refuse, Warn or Note
	Parent   string `json:"parent"`   // path as opened; "" where it is about all
	Tensor   string `json:"tensor"`   // "" where it is not about one
	Message  string `json:"message"`  // one line, without the parent's path
	Remedy   string `json:"remedy"`   // "" where there is none
}

// String returns "parent: message"; the message names the tensor.
func (f Finding) String() string {
	if f.Parent == "" {
		return f.Message
	}
	return f.Parent + ": " + f.Message
}

// Findings is what was found, refusals first.
type Findings []Finding

// Err returns nil if nothing refuses, else one line for the first refusal
// and how many there are beside it. The error's Hint method gives the remedy.
func (fs Findings) Err() error {
	var refusals Findings
	for _, f := range fs {
		if f.Severity == Refuse {
			refusals = append(refusals, f)
		}
	}
	if len(refusals) == 0 {
		return nil
	}
	more := ""
	if n := len(refusals) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return remedy.Errorf(refusals[0].Remedy, "%s%s", refusals[0], more)
}

// perCode is how many findings of one code a parent gets one by one. Two
// unrelated models differ in hundreds of tensors; the rest is counted.
const perCode = 8

// listed makes one finding a tensor, and one that counts those above perCode.
func listed(f Finding, tensors []string, message func(tensor string) string) Findings {
	var out Findings
	for i, name := range tensors {
		if i == perCode {
			f.Tensor, f.Message = "", fmt.Sprintf("%d more tensors with the finding %q", len(tensors)-perCode, f.Code)
			return append(out, f)
		}
		f.Tensor, f.Message = name, message(name)
		out = append(out, f)
	}
	return out
}

// some joins the first three of a list and counts all.
func some(items []string, of string) string {
	shown := items[:min(3, len(items))]
	dots := ""
	if len(items) > len(shown) {
		dots = ", ..."
	}
	return fmt.Sprintf("%d %s: %s%s", len(items), of, strings.Join(shown, ", "), dots)
}
