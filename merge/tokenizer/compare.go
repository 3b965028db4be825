package tokenizer

import (
	"fmt"
	"slices"
)

// Probe is a text in several scripts, with digits, code, runs of blanks and
// characters that tokenizers treat in different ways. It is in Unicode's normal
// form C, because readers of GGUF do not normalise.
const Probe = "Hello, World! It's 2024; we'll see what they've DONE.  Two  spaces,   three\tand a tab.\n\n\nNew lines\r\n" +
	"Привет, мир! Съешь ещё этих булок.\n你好，世界。今天天气很好！１２３\nالسلام عليكم يا عالم\nनमस्ते दुनिया, कैसे हैं?\n" +
	"😀👍🏽🇩🇪👩‍👩‍👧 ½²Ⅷ 1234567890 3.14 1e-5\n" +
	"def f(x):\n    return x**2  # naïve café\n\tfor (i=0; i<n; ++i) { a[i] += 0x7F; }\n<|not special|> \u00a0\u2003end   "

// Compare says where a server's ids of a text differ from the tokenizer's; nil
// if they do not.
func (e *Encoder) Compare(text string, special bool, got []int32) error {
	want, err := e.Encode(text, special)
	if err != nil {
		return err
	}
	if slices.Equal(got, want) {
		return nil
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%d token ids where tokenizer.json gives %d; the first that differs is number %d: %s instead of %s (after %q)",
		len(got), len(want), at, e.name(got, at), e.name(want, at), e.before(want, at))
}

// name returns an id with its token.
func (e *Encoder) name(ids []int32, at int) string {
	if at >= len(ids) {
		return "nothing"
	}
	return fmt.Sprintf("%d %q", ids[at], e.token(ids[at]))
}

// before returns the tokens before one, as the vocabulary writes them.
func (e *Encoder) before(ids []int32, at int) (text string) {
	for _, id := range ids[max(0, at-4):min(at, len(ids))] {
		text += e.token(id)
	}
	return text
}

func (e *Encoder) token(id int32) string {
	for _, a := range e.file.Added {
		if a.ID == id {
			return a.Content
		}
	}
	for token, i := range e.file.Model.IDs {
		if i == id {
			return token
		}
	}
	return ""
}
