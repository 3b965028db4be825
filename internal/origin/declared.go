package origin

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"soup/merge"
)

// declared is what a model card says about how a checkpoint was made.
type declared struct {
	base  string // base_model; "" where none or several are named
	stage string // of training; "" for not said
}

// stages are the tags that trainers write into the cards of what they made, by
// the stage of training: https://huggingface.co/docs/trl has one page a trainer.
func stages() map[string]string {
	of := map[string]string{"sft": "SFT", "iterative-sft": "SFT"}
	for _, tag := range []string{"dpo", "online-dpo", "cpo", "orpo", "kto", "bco", "simpo", "nash-md", "xpo"} {
		of[tag] = "preference tuning"
	}
	for _, tag := range []string{"ppo", "grpo", "rloo", "gspo", "reinforce"} {
		of[tag] = "RL"
	}
	for _, tag := range []string{"reward-trainer", "reward-model", "prm-trainer"} {
		of[tag] = "a reward model"
	}
	return of
}

// declaredBy reads the card beside a checkpoint's weights.
func declaredBy(path string) (d declared) {
	var front struct {
		Base any `yaml:"base_model"`
		Tags any `yaml:"tags"`
	}
	if !readCard(filepath.Join(path, "README.md"), &front) {
		return d
	}
	if list, several := front.Base.([]any); !several || len(list) == 1 {
		d.base = joined(front.Base)
	}
	of := stages()
	for _, tag := range strings.Split(joined(front.Tags), ", ") {
		if stage := of[strings.ToLower(tag)]; stage != "" {
			d.stage = stage // trainers add theirs behind those of what they began with
		}
	}
	return d
}

// readCard reads the YAML between the first two lines of "---"; false where there
// is none that can be read.
func readCard(path string, front any) bool {
	_, after, ok := strings.Cut("\n"+strings.ReplaceAll(string(readText(path)), "\r\n", "\n"), "\n---\n")
	header, _, closed := strings.Cut(after, "\n---")
	return ok && closed && yaml.Unmarshal([]byte(header), front) == nil
}

// joined is a field that holds a text or a list of texts.
func joined(field any) string {
	switch x := field.(type) {
	case string:
		return x
	case []any:
		var all []string
		for _, v := range x {
			all = append(all, fmt.Sprint(v))
		}
		return strings.Join(all, ", ")
	}
	return ""
}

// Findings compares what checkpoints declare: their licences, the model that they
// were trained from, and the stage of training. Who declares nothing is not
// compared. Nothing here refuses: cards are written by hand.
func Findings(parents []*merge.Checkpoint) (found merge.Findings) {
	var paths []string
	var cards []declared
	for _, p := range parents {
		paths, cards = append(paths, p.Path()), append(cards, declaredBy(p.Path()))
	}
	found = append(found, licences(paths)...)
	for _, fact := range []struct {
		code, says, remedy string
		of                 func(declared) string
	}{
		{"base-mismatch", "its card names the base %s, but %s in that of %s", "average only checkpoints of one base; give it with --base to measure how far each went", func(d declared) string { return d.base }},
		{
			"stage", "its card says that its last training was %s, but %s in that of %s",
			"look along the line between them (strategy path) and keep what the later stage may lose (objective.keep)", func(d declared) string { return d.stage },
		},
	} {
		first := slices.IndexFunc(cards, func(d declared) bool { return fact.of(d) != "" })
		for i, d := range cards {
			if x := fact.of(d); x != "" && x != fact.of(cards[first]) {
				found = append(found, merge.Finding{
					Code: fact.code, Severity: merge.Warn, Parent: paths[i], Remedy: fact.remedy,
					Message: fmt.Sprintf(fact.says, x, fact.of(cards[first]), paths[first]),
				})
			}
		}
	}
	return found
}

// licences says where parents have different ones: a warning where one of them
// has conditions that the others have not.
func licences(paths []string) merge.Findings {
	var list []Licence
	severity := merge.Note
	for _, path := range paths {
		l := LicenceOf(path)
		list = append(list, l)
		if t, _ := l.terms(); l.ID != "" && t != permissive {
			severity = merge.Warn
		}
	}
	different := differing(paths, list)
	if different == "" {
		return nil
	}
	return merge.Findings{{
		Code: "licence", Severity: severity, Message: "the parents have different licences, all of which apply to a soup: " + different,
		Remedy: "read them before the soup is passed on; its card lists what to look at",
	}}
}
