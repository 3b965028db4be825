package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNone says that a directory has no tokenizer.json.
var ErrNone = errors.New("no tokenizer.json")

// File is a tokenizer.json.
type File struct {
	Added         []Added `json:"added_tokens"`
	Normalizer    *Step   `json:"normalizer"`
	PreTokenizer  *Step   `json:"pre_tokenizer"`
	PostProcessor *Post   `json:"post_processor"`
	Model         Model   `json:"model"`
}

// Added is a token that is found in the text before anything else happens to it.
type Added struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LeftStrip  bool   `json:"lstrip"`
	RightStrip bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// Step is a normaliser or pre-tokeniser; a Sequence has steps of its own.
type Step struct {
	Type             string  `json:"type"`
	Normalizers      []Step  `json:"normalizers"`
	PreTokenizers    []Step  `json:"pretokenizers"`
	Pattern          Pattern `json:"pattern"`
	Content          string  `json:"content"`
	Behavior         string  `json:"behavior"`
	Invert           bool    `json:"invert"`
	AddPrefixSpace   *bool   `json:"add_prefix_space"`
	UseRegex         *bool   `json:"use_regex"`
	IndividualDigits bool    `json:"individual_digits"`
	Prepend          string  `json:"prepend"`
	Replacement      string  `json:"replacement"`
	PrependScheme    string  `json:"prepend_scheme"`
	Split            *bool   `json:"split"`
}

// Pattern is what a step looks for: a text or a regular expression.
type Pattern struct {
	String *string
	Regex  *string
}

// Post is what is put around the ids of a text.
type Post struct {
	Type       string  `json:"type"`
	Processors []Post  `json:"processors"`
	Single     []Piece `json:"single"`
	Special    map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
}

// Piece is a part of a template: a special token, or the text.
type Piece struct {
	SpecialToken *struct {
		ID string `json:"id"`
	}
	Sequence *struct {
		ID string `json:"id"`
	}
}

// Model turns a piece of text into ids.
type Model struct {
	Type         string           `json:"type"`
	Vocabulary   json.RawMessage  `json:"vocab"`
	Merges       Merges           `json:"merges"`
	Dropout      *float64         `json:"dropout"`
	Unknown      *string          `json:"unk_token"`
	Prefix       *string          `json:"continuing_subword_prefix"`
	Suffix       *string          `json:"end_of_word_suffix"`
	FuseUnknown  bool             `json:"fuse_unk"`
	ByteFallback bool             `json:"byte_fallback"`
	IgnoreMerges bool             `json:"ignore_merges"`
	IDs          map[string]int32 `json:"-"` // of a BPE or WordPiece vocabulary
}

// Merges are pairs, the first to be joined first. Older files write "a b".
type Merges [][2]string

// UnmarshalJSON reads both ways of writing them.
func (m *Merges) UnmarshalJSON(text []byte) error {
	var pairs [][]string
	if err := json.Unmarshal(text, &pairs); err != nil {
		var joined []string
		if err := json.Unmarshal(text, &joined); err != nil {
			return errors.New("merges are neither pairs nor texts")
		}
		pairs = nil
		for _, j := range joined {
			pairs = append(pairs, cutMerge(j))
		}
	}
	*m = make(Merges, len(pairs))
	for i, p := range pairs {
		if len(p) != 2 {
			return fmt.Errorf("merge %d has %d parts", i, len(p))
		}
		(*m)[i] = [2]string{p[0], p[1]}
	}
	return nil
}

// cutMerge splits at the only blank; tokens of byte-level vocabularies have none.
func cutMerge(s string) []string {
	for i := 1; i < len(s); i++ {
		if s[i] == ' ' {
			return []string{s[:i], s[i+1:]}
		}
	}
	return []string{s}
}

// Read reads tokenizer.json of a directory. A missing file is [ErrNone].
func Read(dir string) (*File, error) {
	path := filepath.Join(dir, "tokenizer.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	f, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Parse reads the text of a tokenizer.json.
func Parse(text []byte) (*File, error) {
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("broken JSON: %w", err)
	}
	if f.Model.Type == "" && f.Model.Merges != nil {
		f.Model.Type = "BPE" // as old files leave it out
	}
	if f.Model.Type == "BPE" || f.Model.Type == "WordPiece" {
		if err := json.Unmarshal(f.Model.Vocabulary, &f.Model.IDs); err != nil {
			return nil, fmt.Errorf("vocab: %w", err)
		}
	}
	return &f, nil
}

// Size returns one more than the highest id.
func (f *File) Size() int {
	n := int32(0)
	for _, id := range f.Model.IDs {
		n = max(n, id+1)
	}
	for _, a := range f.Added {
		n = max(n, a.ID+1)
	}
	return int(n)
}

// ID returns the id of a token, added ones first.
func (f *File) ID(token string) (int32, bool) {
	for _, a := range f.Added {
		if a.Content == token {
			return a.ID, true
		}
	}
	id, ok := f.Model.IDs[token]
	return id, ok
}

// Around returns the special tokens that a template puts before and after a
// text. known is false where there is no template, or one of another shape.
func (f *File) Around() (before, after []int32, known bool) {
	return around(f.PostProcessor)
}

func around(p *Post) (before, after []int32, known bool) {
	switch {
	case p == nil:
		return nil, nil, false
	case p.Type == "Sequence":
		for i := range p.Processors {
			if b, a, ok := around(&p.Processors[i]); ok {
				return b, a, true
			}
		}
		return nil, nil, false
	case p.Type != "TemplateProcessing":
		return nil, nil, false
	}
	seen := false
	for _, piece := range p.Single {
		switch {
		case piece.Sequence != nil:
			seen = true
		case piece.SpecialToken != nil && seen:
			after = append(after, p.Special[piece.SpecialToken.ID].IDs...)
		case piece.SpecialToken != nil:
			before = append(before, p.Special[piece.SpecialToken.ID].IDs...)
		}
	}
	return before, after, true
}
