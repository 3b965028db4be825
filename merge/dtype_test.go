package merge

import "testing"

func TestParseDType(t *testing.T) {
	for text, want := range map[string]DType{"": AsStored, "float32": F32, "F16": F16, "bfloat16": BF16, "bf16": BF16} {
		var d DType
		if err := d.UnmarshalText([]byte(text)); err != nil || d != want {
			t.Errorf("%q is %v (%v)", text, d, err)
		}
	}
	_, err := ParseDType("int8")
	wantError(t, err, `"int8"`)
	if DType(99).String() != "quantised" || BF16.Torch() != "bfloat16" || BF16.String() != "BF16" {
		t.Error("names of dtypes are wrong")
	}
}
