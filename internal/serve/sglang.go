package serve

import (
	"context"

	"soup/eval"
	"soup/eval/server/sglang"
	"soup/internal/usage"
)

func checkSGLang(o Options) error {
	if o.URL == "" || o.Start || o.Program != "" || len(o.Args) > 0 || o.Model != "" {
		return usage.Errorf("kind sglang needs the url of a server that runs, and takes no start, program, args or model")
	}
	return checkDirectories(o)
}

func openSGLang(_ context.Context, o Options) (eval.Server, error) {
	key, err := o.secret()
	if err != nil {
		return nil, err
	}
	return sglang.New(sglang.Options{URL: o.URL, Key: key, Context: o.Context, Timeout: o.Timeout})
}
