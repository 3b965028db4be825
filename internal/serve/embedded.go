package serve

import (
	"context"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/usage"
	"soup/merge/convert"
)

func checkEmbedded(o Options) error {
	for name, given := range map[string]bool{
		"url": o.URL != "", "start": o.Start, "program": o.Program != "", "args": len(o.Args) > 0, "key": o.Key != "", "template": o.Template != "", "swap": len(o.Swap) > 0,
		"models": o.Models != "", "request": len(o.Request) > 0, "takes": o.Takes != "",
	} {
		if given {
			return usage.Errorf("%s does not go with kind embedded, which runs in soup itself", name)
		}
	}
	if err := (embedded.Options{Threads: o.Threads}).Validate(); err != nil {
		return usage.Errorf("%s", err)
	}
	return nil
}

func openEmbedded(_ context.Context, o Options) (eval.Server, error) {
	return embedded.New(embedded.Options{Threads: o.Threads, Cache: o.Cache, Convert: convert.Path})
}
