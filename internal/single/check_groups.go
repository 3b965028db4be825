package single

import (
	"errors"
	"strconv"
	"strings"

	"soup/internal/usage"
	"soup/merge"
)

// groupForms is what --groups takes.
const groupForms = "write global, layers=4, kind=attention,mlp or patterns=NAME:REGEX;NAME:REGEX"

// parseGroups reads the option --groups: what a study file's groups say, in one
// word. A pattern's name ends at its first colon, patterns at semicolons.
func parseGroups(text string) (spec merge.GroupSpec, err error) {
	form, value, given := strings.Cut(text, "=")
	switch {
	case text == "" || text == "global":
		return spec, nil
	case !given || value == "":
	case form == "layers":
		if spec.Layers, err = strconv.Atoi(value); err == nil && spec.Layers > 0 {
			return spec, nil
		}
	case form == "kind":
		spec.Kinds = strings.Split(value, ",")
		return spec, nil
	case form == "patterns":
		if spec.Patterns = parsePatterns(value); spec.Patterns != nil {
			return spec, nil
		}
	}
	return spec, &usage.Error{Message: "--groups: " + strconv.Quote(text) + " is no way to group tensors", Advice: groupForms}
}

// parsePatterns reads NAME:REGEX;...; nil if one of them has no name.
func parsePatterns(text string) []merge.GroupPattern {
	var list []merge.GroupPattern
	for _, term := range strings.Split(text, ";") {
		name, match, ok := strings.Cut(term, ":")
		if !ok || name == "" {
			return nil
		}
		list = append(list, merge.GroupPattern{Name: name, Match: match})
	}
	return list
}

// groupSizes measures the groups; nil where there is only the one.
func groupSizes(like *merge.Checkpoint, store merge.DType, spec merge.GroupSpec) ([]merge.GroupSize, error) {
	g, err := groupsOf(like, spec)
	if err != nil {
		return nil, err
	}
	if len(g.Names) == 0 {
		return nil, nil
	}
	return merge.GroupSizes(like, g, store)
}

// trimGroups is the error of a grouping without the name of the option.
func trimGroups(err error) string { return strings.TrimPrefix(err.Error(), "groups: ") }

// hint returns an error's remedy, if it has one.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
