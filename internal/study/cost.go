package study

import "soup/results"

// addEvents adds what the events say: how often the server was given another
// candidate, and where the time went that the trials do not have.
func (b *reporter) addEvents(r *results.Report) error {
	events, err := b.ledger.EventsAfter(0)
	if err != nil {
		return err
	}
	var t Tally
	for _, e := range events {
		if err := t.Add(e); err != nil {
			return err
		}
	}
	r.Swaps, r.ServerIdle = t.Swaps, t.Idle()
	r.Cost.Add(t.Cost)
	r.Seconds = r.Cost.Total()
	if t.Again {
		r.Warnings = append(r.Warnings, "the test split was read for more than one winner: its scores are no longer unseen")
	}
	return nil
}
