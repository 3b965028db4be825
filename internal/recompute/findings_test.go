package recompute

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// addFindings are those that the last session noted, those of midpoints, and the categories in which
// the winner is worse than the parent that was best there.
func (l *ledger) addFindings(f facts) {
	var list []any
	l.each(`SELECT detail FROM events WHERE kind = 'findings' ORDER BY number DESC LIMIT 1`, func(r *sql.Rows) {
		var text string
		check(l.t, r.Scan(&text))
		check(l.t, json.Unmarshal([]byte(text), &list))
	})
	list = append(list, l.midpointFindings(f)...)
	for _, x := range f["inheritance"].(facts)["specialists"].([]any) {
		s := x.(facts)
		if s["verdict"] != "worse" {
			continue
		}
		list = append(list, facts{
			"code": "specialisation-loss", "severity": "warn", "parent": s["parent"], "tensor": "",
			"message": fmt.Sprintf("in %s the winner is %s points [%s, %s] below this parent, the best there, n=%v",
				s["category"], below(s["delta"]), below(s["high"]), below(s["low"]), s["n"]),
			"remedy": "name the category in objective.keep, or give it more weight in objective.weights",
		})
	}
	f["findings"] = list
}

// below is how far down a difference is, in points.
func below(x any) string { return strings.TrimPrefix(signed(-x.(float64)), "+") }
