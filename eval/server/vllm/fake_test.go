package vllm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"soup/eval/server/internal/bytoken/toymodel"
)

// fake is a vLLM 0.32.0 as far as the driver talks to it, with a toy model. Its
// replies have the form of a real one's.
type fake struct {
	root       string
	config     string // of /server_info; "" is a server outside development mode
	noIDs      bool   // does not know logprob_token_ids
	noPath     bool   // reload_weights takes no path
	noParser   bool   // of function calls
	busy       int    // attempts to drop the prefix cache that fail
	notNumbers string // a directory with broken weights

	mu     sync.Mutex
	model  toymodel.Model
	broken bool
	poison bool // the cache holds what is not a number
	called []string
}

const developing = `{"model_config":{"max_logprobs":20,"logprobs_mode":"raw_logprobs","enable_sleep_mode":false},"weight_transfer_config":null}`

func newFake(t *testing.T, root string) *fake {
	t.Helper()
	m, err := toymodel.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return &fake{root: root, model: m, config: developing}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in request
	_ = json.NewDecoder(r.Body).Decode(&in)
	route := r.URL.Path
	if r.Method == http.MethodGet {
		f.get(w, route)
		return
	}
	if !slices.Contains([]string{"/tokenize", "/v1/completions"}, route) {
		f.called = append(f.called, strings.TrimSuffix(route+"?"+r.URL.RawQuery, "?"))
	}
	switch route {
	case "/tokenize":
		f.tokenize(w, in)
	case "/v1/completions":
		f.complete(w, in)
	case "/v1/chat/completions":
		f.chat(w, in)
	case "/reset_prefix_cache":
		f.busy--
		fmt.Fprintf(w, `{"success":%t}`, f.busy < 0)
	default:
		f.exchange(w, route, in)
	}
}

// request is the union of all bodies.
type request struct {
	Prompt   json.RawMessage
	Messages []struct{ Content string }
	Tools    json.RawMessage
	Max      int `json:"max_tokens"`
	Stop     []string
	Logprobs *int
	IDs      []int32 `json:"logprob_token_ids"`
	OfPrompt *int    `json:"prompt_logprobs"`
	Endless  bool    `json:"ignore_eos"`
	Kwargs   *struct {
		Path string `json:"weights_path"`
	}
	Update *struct{ Path string } `json:"update_info"`
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"error":{"message":%q,"code":%d}}`, why, code)
}

func (f *fake) get(w http.ResponseWriter, route string) {
	switch {
	case route == "/version":
		fmt.Fprint(w, `{"version":"0.32.0"}`)
	case route == "/health":
	case route == "/v1/models":
		fmt.Fprintf(w, `{"data":[{"id":"soup","root":%q,"parent":null,"max_model_len":64}]}`, f.root)
	case f.config == "":
		refuse(w, 404, "Not Found")
	case route == "/server_info":
		fmt.Fprintf(w, `{"vllm_config":%s}`, f.config)
	default:
		refuse(w, 405, "Method Not Allowed")
	}
}

func (f *fake) exchange(w http.ResponseWriter, route string, in request) {
	path := f.root
	switch {
	case route == "/update_weights":
		path = in.Update.Path
	case route != "/collective_rpc":
		fmt.Fprint(w, `{"message":"done"}`)
		return
	case in.Kwargs != nil && f.noPath:
		refuse(w, 500, "reload_weights() got an unexpected keyword argument 'weights_path'")
		return
	case in.Kwargs != nil:
		path = in.Kwargs.Path
	}
	m, err := toymodel.Open(path)
	if err != nil {
		refuse(w, 500, "EngineCore encountered an issue. See stack trace (above) for the root cause.")
		return
	}
	f.model, f.broken = m, path == f.notNumbers
	fmt.Fprint(w, `{"results":[null]}`)
}

func (f *fake) tokenize(w http.ResponseWriter, in request) {
	var text string
	_ = json.Unmarshal(in.Prompt, &text)
	for _, m := range in.Messages {
		text += "<" + m.Content + ">"
	}
	if strings.Contains(text, "tools") {
		text += string(in.Tools)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"tokens": toymodel.Encode(text)})
}

func (f *fake) complete(w http.ResponseWriter, in request) {
	var prompts [][]int32
	_ = json.Unmarshal(in.Prompt, &prompts)
	f.poison = f.poison || f.broken
	if len(prompts) == washPrompts && !f.broken {
		f.poison = false
	}
	if f.poison && (in.Logprobs != nil || in.OfPrompt != nil) {
		refuse(w, 400, "Out of range float values are not JSON compliant")
		return
	}
	var choices []any
	used := 0
	for i, p := range prompts {
		if len(p)+in.Max > 64 {
			refuse(w, 400, "longer than max_model_len")
			return
		}
		text, n, reason := f.model.Answer(p, in.Max, in.Stop)
		used += n
		c := map[string]any{"index": i, "text": text, "finish_reason": reason, "stop_reason": nil}
		if slices.Contains(in.Stop, reason) {
			c["finish_reason"], c["stop_reason"] = "stop", reason
		}
		if in.Logprobs != nil {
			c["logprobs"] = map[string]any{"top_logprobs": []any{f.named(p, in)}}
		}
		if in.OfPrompt != nil {
			c["prompt_logprobs"] = f.ofPrompt(p, *in.OfPrompt)
		}
		choices = append([]any{c}, choices...) // out of order
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"choices": choices, "usage": map[string]int{"completion_tokens": used}})
}

// named are the log-probabilities at the first generated place.
func (f *fake) named(prompt []int32, in request) map[string]float64 {
	named, lps := map[string]float64{}, f.model.LogProbs(prompt)
	ids := in.IDs
	if f.noIDs || ids == nil {
		ids = []int32{f.model.Best(prompt, nil)}
	}
	for _, id := range ids {
		named[fmt.Sprintf("token_id:%d", id)] = lps[id]
	}
	return named
}

func (f *fake) ofPrompt(prompt []int32, top int) []any {
	all := []any{nil}
	for i := 1; i < len(prompt); i++ {
		lps, named := f.model.LogProbs(prompt[:i]), map[string]any{}
		best := f.model.Best(prompt[:i], nil)
		rank := 2
		if prompt[i] == best {
			rank = 1
		}
		named[fmt.Sprint(prompt[i])] = map[string]any{"logprob": lps[prompt[i]], "rank": rank}
		if top > 0 {
			named[fmt.Sprint(best)] = map[string]any{"logprob": lps[best], "rank": 1}
		}
		all = append(all, named)
	}
	return all
}

func (f *fake) chat(w http.ResponseWriter, in request) {
	if f.noParser {
		refuse(w, 400, `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
		return
	}
	fmt.Fprint(w, `{"choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[`+
		`{"function":{"name":"add","arguments":"{\"a\": 5.0}"}},{"function":{"name":"add","arguments":"{oops"}}]}}],"usage":{"completion_tokens":9}}`)
}
