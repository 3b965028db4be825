package convert

import (
	"math"
	"strings"

	"soup/merge/internal/remedy"
)

// rope says how positions are rotated in.
type rope struct {
	theta  float64 // base of the frequencies
	local  float64 // the same in layers with a sliding window; 0: they have no base of their own
	kind   string  // "default", "linear", "llama3" or "yarn"
	factor float64
	low    float64 // of llama3: low_freq_factor
	high   float64 // of llama3: high_freq_factor
	before uint32  // context length before scaling
}

// readRope reads rope_parameters (transformers 5, one object or one a layer
// type) or rope_theta, rope_scaling and rope_local_base_freq (transformers 4).
func readRope(c config, theta, local float64) (r rope, err error) {
	if r.theta, err = c.float("rope_theta", theta); err != nil {
		return r, err
	}
	if r.local, err = c.float("rope_local_base_freq", local); err != nil {
		return r, err
	}
	scaling := c.object("rope_scaling")
	if p := c.object("rope_parameters"); p != nil {
		scaling = p
		if full := p.object("full_attention"); full != nil {
			scaling = full
			if r.local, err = p.object("sliding_attention").float("rope_theta", r.local); err != nil {
				return r, err
			}
		}
		if !scaling.has("rope_theta") {
			return r, remedy.Errorf(elsewhere, "config.json: rope_parameters without one rope_theta: this layout is not known")
		}
		if r.theta, err = scaling.float("rope_theta", r.theta); err != nil {
			return r, err
		}
	}
	if part, err := c.float("partial_rotary_factor", 1); err != nil || part != 1 {
		return r, remedy.Errorf(elsewhere, "config.json: partial_rotary_factor %v is not converted", c["partial_rotary_factor"])
	}
	return r, r.scale(scaling)
}

// scale reads the scaling; factors that GGUF has no key for are refused.
func (r *rope) scale(s config) (err error) {
	r.kind = s.text("rope_type")
	if r.kind == "" {
		r.kind = s.text("type")
	}
	if r.kind == "" {
		r.kind = "default"
	}
	switch r.kind {
	case "default":
		return nil
	case "linear", "llama3", "yarn":
	default:
		return remedy.Errorf(elsewhere, "config.json: rope type %q is not converted", r.kind)
	}
	for _, key := range []string{"attention_factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow"} {
		if r.kind == "yarn" && s.has(key) {
			return remedy.Errorf(elsewhere, "config.json: %s of yarn is not converted", key)
		}
	}
	numbers := []struct {
		to        *float64
		key       string
		otherwise float64
	}{{&r.factor, "factor", 0}, {&r.low, "low_freq_factor", 1}, {&r.high, "high_freq_factor", 4}}
	for _, n := range numbers {
		if *n.to, err = s.float(n.key, n.otherwise); err != nil {
			return err
		}
	}
	if r.factor <= 0 {
		return remedy.Errorf("see the model's page for its factor", "config.json: rope type %q without a factor", r.kind)
	}
	r.before, err = s.whole("original_max_position_embeddings", 0)
	if err == nil && r.before == 0 && r.kind != "linear" {
		err = remedy.Errorf("see the model's page for it", "config.json: rope type %q without original_max_position_embeddings", r.kind)
	}
	return err
}

// keys writes the rope keys of an architecture.
func (r rope) keys(k *keys) {
	k.float("rope.freq_base", r.theta)
	switch r.kind {
	case "linear", "yarn":
		k.set(k.name+".rope.scaling.type", r.kind)
		k.float("rope.scaling.factor", r.factor)
	}
	if r.kind == "yarn" {
		k.whole("rope.scaling.original_context_length", r.before)
	}
}

// factors returns what llama3's scaling divides each frequency by, in the order
// of the frequencies: half the head's width. After _compute_llama3_parameters
// of https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py
func (r rope) factors(width uint32) []float32 {
	out := make([]float32, width/2)
	for i := range out {
		wave := 2 * math.Pi * math.Pow(r.theta, float64(2*i)/float64(width))
		whole := float64(r.before)
		switch {
		case wave < whole/r.high:
			out[i] = 1
		case wave > whole/r.low:
			out[i] = float32(r.factor)
		default:
			smooth := (whole/wave - r.low) / (r.high - r.low)
			out[i] = float32(1 / ((1-smooth)/r.factor + smooth))
		}
	}
	return out
}

// String describes the scaling.
func (r rope) String() string { return strings.TrimSpace(r.kind + " rope") }
