package adapter

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"soup/merge"
)

// Check returns everything that speaks against a soup of adapters: what is wrong
// with each, and where they do not go with the first. Refusals come first. It
// reads nothing but what [Open] has read, unless adapters name different paths
// of bases that are both on this machine: then their weights are compared.
// Errors are those of reading these.
func Check(ctx context.Context, adapters []*Adapter) (merge.Findings, error) {
	if len(adapters) == 0 {
		return merge.Findings{{Code: "adapters", Severity: merge.Refuse, Message: "no adapters given", Remedy: "give one adapter or more"}}, nil
	}
	found := slices.Clone(adapters[0].found)
	for _, a := range adapters[1:] {
		more, err := a.compare(ctx, adapters[0])
		if err != nil {
			return nil, err
		}
		found = append(append(found, a.found...), more...)
	}
	found = append(found, compareShapes(adapters)...)
	found = append(found, partial(adapters)...)
	found = append(found, fullRank(adapters)...)
	return sorted(found), nil
}

func sorted(found merge.Findings) merge.Findings {
	order := []string{merge.Refuse, merge.Warn, merge.Note}
	slices.SortStableFunc(found, func(x, y merge.Finding) int {
		return slices.Index(order, x.Severity) - slices.Index(order, y.Severity)
	})
	return found
}

// compare compares the configuration with the first adapter's.
func (a *Adapter) compare(ctx context.Context, first *Adapter) (found merge.Findings, err error) {
	add := func(severity, code, remedy, format string, args ...any) {
		found = append(found, a.finding(severity, code, "", remedy, format, args...))
	}
	mine, theirs := a.config.base, first.config.base
	r, err := relate(ctx, mine, theirs)
	switch r.kind {
	case different:
		add(merge.Refuse, "base-model", "use adapters of one base; if it is one, write the same base_model_name_or_path into each "+configName,
			"its base is %q, but %q in %s", mine, theirs, first.dir)
	case compared:
		add(merge.Refuse, "base-model", "use adapters of one base",
			"its base %q is not that of %s, %q: tensor %s differs", mine, first.dir, theirs, r.tensor)
	case spelled:
		add(merge.Warn, "base-model", "make sure that both are one model", "its base is %q, but %q in %s", mine, theirs, first.dir)
	}
	if x, y := a.config.revision, first.config.revision; x != y {
		add(merge.Warn, "base-model", "make sure that both are one model", "its base is of revision %q, but %q in %s", x, y, first.dir)
	}
	if x, y := a.config.taskType, first.config.taskType; x != y {
		add(merge.Warn, "task-type", "the soup gets the first adapter's", "task_type is %q, but %q in %s", x, y, first.dir)
	}
	if x, y := a.config.fanInFanOut, first.config.fanInFanOut; x != y {
		add(merge.Refuse, "fan-in-fan-out", "use adapters of one base", "fan_in_fan_out is %t, but %t in %s", x, y, first.dir)
	}
	return found, err
}

// union returns the names of all modules, sorted.
func union(adapters []*Adapter) []string {
	names := map[string]bool{}
	for _, a := range adapters {
		for _, m := range a.modules {
			names[m.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// compareShapes refuses modules that map other numbers of values than in the
// first adapter that has them.
func compareShapes(adapters []*Adapter) (found merge.Findings) {
	count := map[*Adapter]int{}
	for _, name := range union(adapters) {
		var like Module
		var of *Adapter
		for _, a := range adapters {
			m, ok := a.Module(name)
			switch {
			case !ok:
			case of == nil:
				like, of = m, a
			case (m.In != like.In || m.Out != like.Out) && count[a] < perCode:
				count[a]++
				found = append(found, a.finding(merge.Refuse, "shape", tensorA(name), "use adapters of one base",
					"module %s maps %d values to %d, but %d to %d in %s", name, m.In, m.Out, like.In, like.Out, of.dir))
			}
		}
	}
	return found
}

// partial notes adapters that change fewer modules than others do.
func partial(adapters []*Adapter) (found merge.Findings) {
	all := union(adapters)
	for _, a := range adapters {
		var lacks []string
		for _, name := range all {
			if _, ok := a.index[name]; !ok {
				lacks = append(lacks, name)
			}
		}
		if len(lacks) > 0 && len(a.modules) > 0 {
			found = append(found, a.finding(merge.Note, "modules", "", "", "leaves %s unchanged, which others change", some(lacks, "modules")))
		}
	}
	return found
}

// some joins the first three of a list and counts all.
func some(items []string, of string) string {
	text := fmt.Sprintf("%d %s: %s", len(items), of, strings.Join(items[:min(3, len(items))], ", "))
	if len(items) > 3 {
		text += ", ..."
	}
	return text
}

// fullRank notes where a stacked adapter has no lower rank than the matrix.
func fullRank(adapters []*Adapter) merge.Findings {
	var full []string
	for _, name := range union(adapters) {
		rank, side := int64(0), int64(0)
		for _, a := range adapters {
			if m, ok := a.Module(name); ok {
				rank, side = rank+m.Rank, min(m.In, m.Out)
			}
		}
		if len(adapters) > 1 && rank >= side {
			full = append(full, name)
		}
	}
	if len(full) == 0 {
		return nil
	}
	return merge.Findings{{
		Code: "rank", Severity: merge.Note, Message: "the ranks sum up to the whole rank of " + some(full, "modules"),
		Remedy: "bake the soup into its base, which is no larger",
	}}
}
