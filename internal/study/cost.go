package study

import (
	"encoding/json"

	"soup/results"
)

// addCost adds up where the time went: that of the trials is there already.
func (b *reporter) addCost(r *results.Report) error {
	spent, err := b.ledger.Events(secondsEvent)
	if err != nil {
		return err
	}
	for _, e := range spent {
		var d seconds
		if json.Unmarshal(e.Detail, &d) != nil { // once it was one number
			_ = json.Unmarshal(e.Detail, &d.Eval)
		}
		r.Cost.Add(results.Seconds{Merge: d.Merge, Swap: d.Swap, FirstToken: d.First, Eval: d.Eval})
	}
	r.Seconds = r.Cost.Total()
	noted, err := b.ledger.Events(useEvent)
	if err != nil {
		return err
	}
	var all use
	for _, e := range noted {
		var u use
		if err := json.Unmarshal(e.Detail, &u); err != nil {
			return err
		}
		all.Busy, all.Wall = all.Busy+u.Busy, all.Wall+u.Wall
	}
	if all.Wall > 0 {
		idle := max(0, 1-all.Busy/all.Wall)
		r.ServerIdle = &idle
	}
	return nil
}
