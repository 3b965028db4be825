package tokenizer

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a byte-level tokenizer of few tokens; parts of it are replaced.
const small = `{"added_tokens":[{"id":9,"content":"<s>","special":true},{"id":8,"content":"<s>x","special":true}],
"normalizer":null,
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
 "single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"</s>"}}],"special_tokens":{"<s>":{"ids":[9]},"</s>":{"ids":[7]}}}]},
"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3,"Ġ":4,"abc":5,"bc":6},"merges":["b c","a b"]}}`

func parsed(t *testing.T, replace ...string) *File {
	t.Helper()
	f, err := Parse([]byte(strings.NewReplacer(replace...).Replace(small)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name, text string
		replace    []string
		special    bool
		want       []int32
	}{
		{"merges in their order", "abc", nil, false, []int32{0, 6}},
		{"merges as pairs", "abc", []string{`"b c","a b"`, `["a","b"],["b","c"]`}, false, []int32{3, 2}},
		{"a whole token at once", "abc", []string{`"merges"`, `"ignore_merges":true,"merges"`}, false, []int32{5}},
		{"a blank", "a b", nil, false, []int32{0, 4, 1}},
		{"unknown characters vanish", "azb", nil, false, []int32{3}},
		{"the longest added token", "a<s>xb<s>", nil, false, []int32{0, 8, 1, 9}},
		{"the template", "ab", nil, true, []int32{9, 3, 7}},
		{"nothing", "", nil, true, []int32{9, 7}},
	} {
		e, err := parsed(t, c.replace...).Encoder()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Encode(c.text, c.special); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	for says, replace := range map[string][]string{
		"type Unigram":         {`"type":"BPE"`, `"type":"Unigram"`},
		"dropout":              {`"merges"`, `"dropout":0.1,"merges"`},
		"borders of words":     {`"merges"`, `"end_of_word_suffix":"</w>","merges"`},
		"normalizer: step NFD": {`"normalizer":null`, `"normalizer":{"type":"NFD"}`},
		"puts a blank before":  {`"add_prefix_space":false`, `"add_prefix_space":true`},
		"step BertPre":         {`"type":"ByteLevel","add`, `"type":"BertPre","add`},
		"pattern":              {`{"type":"ByteLevel","add`, `{"type":"Split","behavior":"Isolated","pattern":{"Regex":"("},"add`},
	} {
		if _, err := parsed(t, replace...).Encoder(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	e, err := parsed(t, `"content":"<s>","special":true`, `"content":"<s>","rstrip":true`).Encoder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Encode("a<s> b", false); err == nil || !strings.Contains(err.Error(), "changes the text beside it") {
		t.Errorf("error %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); !errors.Is(err, ErrNone) {
		t.Errorf("error %v", err)
	}
	for text, says := range map[string]string{
		"{":                                    "broken JSON",
		`{"model":{"merges":[["a"]]}}`:         "merge 0 has 1 parts",
		`{"model":{"merges":7}}`:               "neither pairs nor texts",
		`{"model":{"type":"BPE","vocab":[1]}}`: "vocab",
	} {
		path := filepath.Join(dir, "tokenizer.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestCompare(t *testing.T) {
	e, err := parsed(t).Encoder()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Compare("abc", false, []int32{0, 6}); err != nil {
		t.Error(err)
	}
	err = e.Compare("abc", true, []int32{9, 3, 2, 7})
	if want := `4 token ids where tokenizer.json gives 4; the first that differs is number 1: 3 "ab" instead of 0 "a" (after "<s>")`; err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

// FuzzParse: no text crashes, and an encoder that is made encodes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small), "abc <s> x")
	f.Add([]byte(`{"pre_tokenizer":{"type":"Metaspace","replacement":"_"},"model":{"type":"BPE","vocab":{"_":0},"merges":[]}}`), " a")
	f.Fuzz(func(_ *testing.T, text []byte, probe string) {
		file, err := Parse(text)
		if err != nil || len(probe) > 200 {
			return
		}
		if e, err := file.Encoder(); err == nil {
			_, _ = e.Encode(probe, true)
		}
	})
}
