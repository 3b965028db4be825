package eval

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dlclark/regexp2"
)

// Instruction is one that a program can check, with its arguments as IFEval calls
// them; what an instruction does not need is zero. Numbers are positive.
type Instruction struct {
	ID string `json:"id"`

	Relation         string   `json:"relation,omitempty"` // "less than" or "at least"
	Keywords         []string `json:"keywords,omitempty"` // regular expressions
	Keyword          string   `json:"keyword,omitempty"`  // likewise
	Frequency        float64  `json:"frequency,omitempty"`
	ForbiddenWords   []string `json:"forbidden_words,omitempty"` // likewise
	Letter           string   `json:"letter,omitempty"`
	LetterFrequency  float64  `json:"let_frequency,omitempty"`
	LetterRelation   string   `json:"let_relation,omitempty"`
	Language         string   `json:"language,omitempty"` // ISO 639-1
	Sentences        float64  `json:"num_sentences,omitempty"`
	Paragraphs       float64  `json:"num_paragraphs,omitempty"`
	Words            float64  `json:"num_words,omitempty"`
	Nth              float64  `json:"nth_paragraph,omitempty"`
	FirstWord        string   `json:"first_word,omitempty"`
	Placeholders     float64  `json:"num_placeholders,omitempty"`
	Postscript       string   `json:"postscript_marker,omitempty"`
	Bullets          float64  `json:"num_bullets,omitempty"`
	Highlights       float64  `json:"num_highlights,omitempty"`
	Splitter         string   `json:"section_spliter,omitempty"` // a regular expression; so spelt
	Sections         float64  `json:"num_sections,omitempty"`
	Prompt           string   `json:"prompt_to_repeat,omitempty"`
	EndPhrase        string   `json:"end_phrase,omitempty"`
	CapitalFrequency float64  `json:"capital_frequency,omitempty"`
	CapitalRelation  string   `json:"capital_relation,omitempty"`
}

// check is how one kind of instruction is judged.
type check struct {
	follows func(in Instruction, text string) bool
	needs   func(in Instruction) error // nil if it has no arguments
}

var checks = map[string]check{
	"keywords:existence":                            {Instruction.hasKeywords, needs{lists: []string{"keywords"}}.of},
	"keywords:frequency":                            {Instruction.hasKeywordOften, needs{"frequency", "relation", []string{"keyword"}}.of},
	"keywords:forbidden_words":                      {Instruction.avoidsWords, needs{lists: []string{"forbidden_words"}}.of},
	"keywords:letter_frequency":                     {Instruction.hasLetterOften, needs{"let_frequency", "let_relation", []string{"letter"}}.of},
	"language:response_language":                    {Instruction.isInLanguage, needs{lists: []string{"language"}}.of},
	"length_constraints:number_sentences":           {Instruction.hasSentences, needs{"num_sentences", "relation", nil}.of},
	"length_constraints:number_paragraphs":          {Instruction.hasParagraphs, needs{number: "num_paragraphs"}.of},
	"length_constraints:number_words":               {Instruction.hasWords, needs{"num_words", "relation", nil}.of},
	"length_constraints:nth_paragraph_first_word":   {Instruction.beginsParagraph, Instruction.needsParagraph},
	"detectable_content:number_placeholders":        {Instruction.hasPlaceholders, needs{number: "num_placeholders"}.of},
	"detectable_content:postscript":                 {Instruction.hasPostscript, needs{lists: []string{"postscript_marker"}}.of},
	"detectable_format:number_bullet_lists":         {Instruction.hasBullets, needs{number: "num_bullets"}.of},
	"detectable_format:constrained_response":        {Instruction.isOneOfThree, nil},
	"detectable_format:number_highlighted_sections": {Instruction.hasHighlights, needs{number: "num_highlights"}.of},
	"detectable_format:multiple_sections":           {Instruction.hasSections, needs{"num_sections", "", []string{"section_spliter"}}.of},
	"detectable_format:json_format":                 {Instruction.isJSON, nil},
	"detectable_format:title":                       {Instruction.hasTitle, nil},
	"combination:two_responses":                     {Instruction.isTwoResponses, nil},
	"combination:repeat_prompt":                     {Instruction.repeatsPrompt, needs{lists: []string{"prompt_to_repeat"}}.of},
	"startend:end_checker":                          {Instruction.endsWithPhrase, needs{lists: []string{"end_phrase"}}.of},
	"startend:quotation":                            {Instruction.isQuoted, nil},
	"change_case:capital_word_frequency":            {Instruction.hasCapitals, needs{"capital_frequency", "capital_relation", nil}.of},
	"change_case:english_capital":                   {Instruction.isCapital, nil},
	"change_case:english_lowercase":                 {Instruction.isLowercase, nil},
	"punctuation:no_comma":                          {Instruction.hasNoComma, nil},
}

// InstructionNames are the instructions that metric ifeval knows, sorted.
func InstructionNames() []string { return slices.Sorted(maps.Keys(checks)) }

// Validate returns an error that names the argument that is missing or wrong.
func (in Instruction) Validate() error {
	c, ok := checks[in.ID]
	if !ok {
		return fmt.Errorf("unknown: use one of %s", strings.Join(InstructionNames(), ", "))
	}
	if c.needs != nil {
		if err := c.needs(in); err != nil {
			return err
		}
	}
	return in.compiles()
}

// needs are the arguments of an instruction: a number, a relation and texts, or
// lists of them.
type needs struct {
	number, relation string
	lists            []string
}

func (n needs) of(in Instruction) error {
	if n.number != "" && !(in.number(n.number) > 0) {
		return fmt.Errorf("%s is missing or not positive", n.number)
	}
	if n.relation != "" {
		if given := in.texts(n.relation)[0]; given != "less than" && given != "at least" {
			return fmt.Errorf("%s %q is neither %q nor %q", n.relation, given, "less than", "at least")
		}
	}
	for _, name := range n.lists {
		if given := in.texts(name); len(given) == 0 || slices.Contains(given, "") {
			return fmt.Errorf("%s is missing or empty", name)
		}
	}
	return nil
}

func (in Instruction) needsParagraph() error {
	if err := (needs{number: "num_paragraphs", lists: []string{"first_word"}}).of(in); err != nil {
		return err
	}
	if in.Nth < 1 || in.Nth > in.Paragraphs {
		return fmt.Errorf("nth_paragraph %v is not among %v paragraphs", in.Nth, in.Paragraphs)
	}
	return nil
}

func (in Instruction) number(name string) float64 {
	return map[string]float64{
		"frequency": in.Frequency, "let_frequency": in.LetterFrequency, "capital_frequency": in.CapitalFrequency,
		"num_sentences": in.Sentences, "num_paragraphs": in.Paragraphs, "num_words": in.Words, "num_placeholders": in.Placeholders,
		"num_bullets": in.Bullets, "num_highlights": in.Highlights, "num_sections": in.Sections,
	}[name]
}

func (in Instruction) texts(name string) []string {
	switch name {
	case "keywords":
		return in.Keywords
	case "forbidden_words":
		return in.ForbiddenWords
	}
	return []string{map[string]string{
		"relation": in.Relation, "let_relation": in.LetterRelation, "capital_relation": in.CapitalRelation, "keyword": in.Keyword, "letter": in.Letter,
		"language": in.Language, "postscript_marker": in.Postscript, "section_spliter": in.Splitter, "prompt_to_repeat": in.Prompt,
		"end_phrase": in.EndPhrase, "first_word": in.FirstWord,
	}[name]}
}

// compiles tries the arguments that are regular expressions.
func (in Instruction) compiles() error {
	for _, pattern := range append(slices.Clone(in.Keywords), in.Keyword, in.Splitter, in.Postscript) {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("%q is no regular expression of RE2: %w", pattern, err)
		}
	}
	for _, word := range in.ForbiddenWords {
		if _, err := regexp2.Compile(word, regexp2.None); err != nil {
			return fmt.Errorf("%q is no regular expression: %w", word, err)
		}
	}
	return nil
}
