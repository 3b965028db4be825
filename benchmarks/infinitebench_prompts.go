package benchmarks

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"soup/eval"
)

// options4 lists the four options of a question.
const options4 = "\nA. {OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}"

// plainWording is soup's own: what to ask, and how a raw prompt begins the answer.
var plainWording = map[string]struct{ ask, cue string }{
	"passkey":             {"One key is hidden in the long text below. Read it for the key.\n\n{context}\n\n{input} Reply with the number alone.", "The key is"},
	"number_string":       {"One sequence of digits is hidden in the long text below. Read it for that sequence.\n\n{context}\n\n{input} Reply with the digits alone.", "The digits are"},
	"kv_retrieval":        {"Look up one key in this JSON object.\n\n{context}\n\n{input} Reply with the value alone.", "The value is"},
	"longbook_choice_eng": {"This is a book; a question about it follows.\n\n{context}\n\nQuestion: {question}" + options4 + "\n\nReply with the letter of the right option alone.", "The right letter is"},
	"longbook_qa_eng":     {"This is a book; a question about it follows.\n\n{context}\n\nQuestion: {question}\n\nReply in as few words as possible.", "Answer:"},
	"longbook_qa_chn":     {"下面是一本书，书后有一个问题。\n\n{context}\n\n问题：{question}\n\n用最少的字回答。", "回答："},
	"longdialogue_qa_eng": {"In this script the name of one character is replaced by $$MASK$$ in one place.\n\n{context}\n\nWhose name is it? Reply with the name as the script writes it before a colon.", "The name is"},
	"math_find":           {"{prefix}\n\n{context}\n\n{input} Reply with the number alone.", "The number is"},
	"math_calc":           {"Evaluate this expression from left to right and list the result after every operation, as numbers with commas between them.\n\n{context}", "Results:"},
	"code_run":            {"These are Python functions.\n\n{context}\n\nWhat does {func_call} return? Reply with the number alone.", "{func_call} returns"},
	"code_debug":          {"In this Python code one function has an obvious error that was put there on purpose.\n\n{context}\n\nWhich function is it?" + options4 + "\n\nReply with the letter of the right option alone, a full stop after it.", "The correct option is:"},
}

func plainTemplates(chat bool) map[string]string {
	templates := map[string]string{}
	for _, task := range eval.InfiniteBenchTasks() {
		w := plainWording[task]
		templates[task] = w.ask
		if !chat {
			templates[task] += "\n\n" + w.cue
		}
	}
	return templates
}

// readTemplates reads one dictionary of the authors' prompt.py: NAME_templates,
// with texts in quotes, joined by +.
func readTemplates(path, name string) (map[string]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("infinitebench: option \"prompts\": %w", err)
	}
	start := name + "_templates = {"
	_, body, found := strings.Cut(string(raw), start)
	if !found {
		return nil, fmt.Errorf("infinitebench: option \"prompts\": %s has no %q", path, start)
	}
	templates, err := quotedTexts(body)
	if err != nil {
		return nil, fmt.Errorf("infinitebench: option \"prompts\": %s: %s_templates: %w", path, name, err)
	}
	for _, task := range eval.InfiniteBenchTasks() {
		if templates[task] == "" {
			return nil, fmt.Errorf("infinitebench: option \"prompts\": %s: %s_templates has no %q", path, name, task)
		}
	}
	return templates, nil
}

// quotedTexts reads a dictionary of texts from after its opening brace: keys,
// colons, texts joined by +, commas and comments.
func quotedTexts(body string) (map[string]string, error) {
	texts := map[string]string{}
	key, value, inValue := "", "", false
	for body != "" {
		c := body[0]
		switch c {
		case '}':
			if inValue {
				texts[key] = value
			}
			return texts, nil
		case '#':
			_, body, _ = strings.Cut(body, "\n")
			continue
		case ':':
			inValue = true
		case ',':
			texts[key], key, value, inValue = value, "", "", false
		case '"', '\'':
			text, rest, err := quotedText(body)
			if err != nil {
				return nil, err
			}
			if inValue {
				value += text
			} else {
				key = text
			}
			body = rest
			continue
		case ' ', '\t', '\r', '\n', '+':
		default:
			return nil, fmt.Errorf("%.20q is no dictionary of texts", body)
		}
		body = body[1:]
	}
	return nil, fmt.Errorf("the dictionary does not end")
}

// quotedText reads the quoted text that body begins with.
func quotedText(body string) (text, rest string, err error) {
	quote := body[0]
	rest = body[1:]
	var b strings.Builder
	for rest != "" && rest[0] != quote {
		if strings.HasPrefix(rest, "\\'") || strings.HasPrefix(rest, `\"`) {
			b.WriteByte(rest[1])
			rest = rest[2:]
			continue
		}
		if rest[0] == '\n' {
			break
		}
		r, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil {
			return "", "", fmt.Errorf("%.20q has an escape that is not read", rest)
		}
		if r < 0x80 || !multibyte {
			b.WriteByte(byte(r))
		} else {
			b.WriteRune(r)
		}
		rest = tail
	}
	if rest == "" || rest[0] != quote {
		return "", "", fmt.Errorf("%.20q has no closing quote", body)
	}
	return b.String(), rest[1:], nil
}
