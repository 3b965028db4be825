package eval

import (
	"fmt"
	"strings"
)

// letterRule are the settings of metric letter, in Item.Rule.
type letterRule struct {
	// Generate has the model write its answer even where the server could tell how
	// likely each label is: for prompts that ask to think first.
	Generate bool `json:"generate"`
	// Answer says how the letter is read from a written answer: "" is its first
	// word, "simple-evals" what stands behind the last line's "Answer:" in many
	// languages.
	Answer string `json:"answer"`
}

func (it Item) letterRule() (rule letterRule, err error) {
	if err = it.readRule(&rule); err == nil && rule.Answer != "" && rule.Answer != "simple-evals" {
		err = fmt.Errorf("rule: answer %q is none of simple-evals", rule.Answer)
	}
	return rule, err
}

// answerWords introduce the letter; the first that is found with a letter behind
// it counts, wherever it stands (openai/simple-evals, common.py,
// MULTILINGUAL_ANSWER_REGEXES, commit ee3b031).
var answerWords = []string{
	`Answer\s*:`,
	"Answer\\s*:\u200b\u200b\u200b\u200b\u200b\u200b",
	`উত্তর\s*:`,
	`उत्तर\s*:`,
	`উত্তরঃ`,
	`Antwort\s*:`,
	`답변\s*:`,
	`정답\s*:`,
	`답\s*:`,
	`答案\s*：`,
	`答案\s*:`,
	`答\s*：`,
	`答\s*:`,
	`答复\s*：`,
	`答曰\s*：`,
	`الإجابة:`,
	`الجواب:`,
	`إجابة:`,
	`الإجابة النهائية:`,
	`الإجابة الصحيحة:`,
	`الإجابة الصحيحة هي:`,
	`الإجابة هي:`,
	`الجواب النهائي:`,
	`Respuesta\s*:`,
	`Risposta\s*:`,
	`答え\s*:`,
	`答え\s*：`,
	`回答\s*:`,
	`回答\s*：`,
	`解答\s*:`,
	`Jawaban\s*:`,
	`Réponse\s*:`,
	`Resposta\s*:`,
	`Jibu\s*:`,
	`Idahun\s*:`,
	`Ìdáhùn\s*:`,
	`Idáhùn\s*:`,
	`Àmọ̀nà\s*:`,
	`Àdáhùn\s*:`,
	`Ànúgọ\s*:`,
	`Àṣàyàn\s*:`,
}

// anyLetter follows such a word: A to D, as Arabic, Bengali and full-width Japanese
// texts number choices too.
const anyLetter = `[ \t]*([A-D]|[أ-د]|[অ]|[ব]|[ড]|[ঢ]|[Ａ]|[Ｂ]|[Ｃ]|[Ｄ])`

var (
	// markup is removed first, in this order.
	markup = []string{
		"**", `$\boxed{`, "}$", `\$`, `$\text{`, "$", `\mathrm{`, `\{`, `\text`, `\(`, `\mathbf{`, "{", `\boxed`,
	}
	latinLetters = strings.NewReplacer("أ", "A", "ب", "B", "ج", "C", "د", "D", "অ", "A", "ব", "B", "ড", "C", "ঢ", "D",
		"Ａ", "A", "Ｂ", "B", "Ｃ", "C", "Ｄ", "D")
)

// writtenLetter reads a letter from an answer as simple-evals does for MMLU; ""
// where there is none. A lower-case letter stays one, and is wrong.
func writtenLetter(answer string) string {
	for _, mark := range markup {
		answer = strings.ReplaceAll(answer, mark, "")
	}
	for _, word := range answerWords {
		re, err := compilePython("(?i)" + word + anyLetter)
		if err != nil {
			return ""
		}
		if found := re.findAll(answer); len(found) > 0 {
			return latinLetters.Replace(found[0][0])
		}
	}
	return ""
}
