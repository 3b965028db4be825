package adapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"soup/merge/internal/remedy"
)

// config returns the soup's adapter_config.json: that of the first adapter, with
// the soup's ranks, an s of 1, and the soup's modules where other adapters
// change more of them. Initialisation and its options belong to the parents'
// training and are left out.
func (s *stack) config() ([]byte, error) {
	first := s.kept[0].of
	all := maps.Clone(first.config.all)
	values := map[string]any{
		"peft_type": "LORA", "r": s.rank, "lora_alpha": s.rank, "use_rslora": false, "bias": "none",
		"init_lora_weights": true, "inference_mode": true,
	}
	for _, option := range []string{"eva_config", "corda_config", "lora_ga_config", "velora_config"} {
		if _, ok := all[option]; ok {
			values[option] = nil
		}
	}
	if _, ok := all["loftq_config"]; ok {
		values["loftq_config"] = struct{}{}
	}
	if len(s.modules) > len(first.modules) {
		values["target_modules"] = s.names()
		for _, option := range []string{"exclude_modules", "layers_to_transform", "layers_pattern"} {
			values[option] = nil
		}
	}
	ranks, err := s.ranks()
	if err != nil {
		return nil, err
	}
	values["rank_pattern"], values["alpha_pattern"] = ranks, ranks
	for option, v := range values {
		if all[option], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return append(text, '\n'), err
}

func (s *stack) names() (names []string) {
	for _, m := range s.modules {
		names = append(names, m.name)
	}
	return names
}

// ranks returns the rank_pattern of the modules whose rank is not the highest;
// as an alpha_pattern it makes their s 1. The keys are regular expressions that
// match the whole name: "^" keeps out of them the names that end like it.
func (s *stack) ranks() (json.RawMessage, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for _, m := range s.modules {
		if m.rank == s.rank {
			continue
		}
		if text.Len() > 1 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%q:%d", "^"+m.name, m.rank)
	}
	text.WriteByte('}')
	return text.Bytes(), s.readBack(text.Bytes())
}

// readBack makes sure that the pattern gives each module its rank, whatever is
// in its name.
func (s *stack) readBack(pattern []byte) error {
	var o overrides
	if err := json.Unmarshal(pattern, &o); err != nil {
		return err
	}
	i := slices.IndexFunc(s.modules, func(m stacked) bool { return o.of(m.name, float64(s.rank)) != float64(m.rank) })
	if i >= 0 {
		return remedy.Errorf("do not ask for each module's own rank", "no rank_pattern can be written for module %s", s.modules[i].name)
	}
	return nil
}
