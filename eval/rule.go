package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// readRule reads the settings of the item's metric; a setting that the metric does
// not have is an error, and none at all leave the defaults.
func (it Item) readRule(into any) error {
	if len(it.Rule) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(it.Rule))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("rule: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("rule: more than one value")
	}
	return nil
}
