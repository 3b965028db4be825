package mergekit

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"soup/merge"
)

// Write writes a recipe for mergekit's command: merge_method linear with the
// weights as they are (normalize: false), computed in float32 as soup does.
// models has for each parent, in their order, the path that mergekit shall find
// it under; store is the dtype of the soup. With [merge.AsStored] mergekit
// computes and stores in the parents' dtype.
//
// Groups become filters. Errors: rows that do not fit the models, weights that
// are no finite float32 or sum to 0 in a group, a model that is named twice or
// not at all.
func Write(w io.Writer, models []string, r merge.Recipe, store merge.DType) error {
	if err := checkRecipe(models, r); err != nil {
		return err
	}
	filters := filtersOf(r.Groups)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Written by soup. mergekit-yaml THIS_FILE OUT makes the soup, to within rounding.\n")
	fmt.Fprintf(b, "merge_method: linear\nbase_model: %s\nmodels:\n", reference(models[0]))
	for k, model := range models {
		fmt.Fprintf(b, "  - model: %s\n    parameters:\n      weight:", reference(model))
		writeWeights(b, r.Weights, k, filters)
	}
	fmt.Fprintf(b, "parameters:\n  normalize: false\n")
	if store != merge.AsStored {
		fmt.Fprintf(b, "dtype: float32\nout_dtype: %s\n", store.Torch())
	}
	return b.Flush()
}

// checkRecipe refuses what mergekit would read differently.
func checkRecipe(models []string, r merge.Recipe) error {
	for i, m := range models {
		if m == "" || slices.Contains(models[:i], m) {
			return fmt.Errorf("model %q: empty or there twice", m)
		}
	}
	if len(models) == 0 || len(r.Weights) != r.Groups.Len() {
		return fmt.Errorf("%d rows of weights for %d groups of %d models", len(r.Weights), r.Groups.Len(), len(models))
	}
	for g, row := range r.Weights {
		if len(row) != len(models) {
			return fmt.Errorf("weights of group %s: %d for %d models", r.Groups.Name(g), len(row), len(models))
		}
		sum := 0.0
		for _, x := range row {
			if sum += x; math.IsNaN(x) || math.IsInf(float64(float32(x)), 0) {
				return fmt.Errorf("weights of group %s: %v is not a finite float32", r.Groups.Name(g), x)
			}
		}
		if sum == 0 {
			return fmt.Errorf("weights of group %s: their sum is 0", r.Groups.Name(g))
		}
	}
	return nil
}

// writeWeights writes a model's weight: one, or conditions.
func writeWeights(b *bufio.Writer, weights [][]float64, model int, filters []filter) {
	if len(weights) == 1 {
		fmt.Fprintf(b, " %s\n", float(weights[0][model]))
		return
	}
	fmt.Fprintln(b)
	for _, f := range filters {
		value := float(weights[f.group][model])
		if f.text == "" {
			fmt.Fprintf(b, "        - value: %s\n", value)
		} else {
			fmt.Fprintf(b, "        - {filter: %s, value: %s}\n", quoted(f.text), value)
		}
	}
}

// float writes a number so that YAML 1.1 reads it as one: with a point. It is
// exactly the same number when it is read.
func float(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if strings.Contains(s, ".") {
		return s
	}
	if digits, exponent, ok := strings.Cut(s, "e"); ok {
		return digits + ".0e" + exponent
	}
	return s + ".0"
}

// reference writes a model's path. A plus or an at sign in a text would start
// a LoRA or a revision (ModelReference and ModelPath in mergekit/common.py).
func reference(path string) string {
	if strings.ContainsAny(path, "+@") {
		return "{model: {path: " + quoted(path) + "}}"
	}
	return quoted(path)
}

// quoted writes text as YAML: in single quotes or, where it has characters that
// those cannot hold, in double ones.
func quoted(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
