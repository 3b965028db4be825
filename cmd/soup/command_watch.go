package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"soup/internal/usage"
	"soup/internal/web"
)

func newWatchCommand() *cobra.Command {
	var page pageFlags
	cmd := &cobra.Command{
		Use:   "watch DIR [--listen HOST:PORT]",
		Short: "Show how a study is going, in a browser",
		Long: `Show how a study is going, in a browser: a page that follows DIR/study.db, which
another process may be writing, and never writes to it. /metrics is for
Prometheus. The page is for this machine only unless --listen names another
address; then it asks for a token, which is part of the link that is printed.
Ctrl-C ends it, with exit code 130.`,
		Example: "  soup watch build/demo\n  soup watch build/demo --listen 0.0.0.0:8080",
		Args:    exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := page.open(cmd, args[0], false)
			if err != nil {
				return err
			}
			if err := site.Serve(cmd.Context()); err != nil {
				return err
			}
			return cmd.Context().Err() // interrupted, as every command that Ctrl-C ends
		},
	}
	page.register(cmd)
	return cmd
}

// pageFlags are the options of the live page.
type pageFlags struct{ listen, tokenFile string }

func (p *pageFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.listen, "listen", web.DefaultAddress, "where to serve the page: HOST:PORT, 127.0.0.1 without HOST; port 0 takes a free one")
	p.registerToken(cmd)
}

func (p *pageFlags) registerToken(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.tokenFile, "token-file", "", "file with the token that viewers and workers need (or "+web.TokenVariable+" in the environment; default: none on this machine, a random one elsewhere)")
}

// open opens the page of a study and says where it is, also with --quiet: without
// the link nobody could see it.
func (p *pageFlags) open(cmd *cobra.Command, dir string, wait bool) (*web.Site, error) {
	token, err := web.ReadToken(p.tokenFile)
	if err != nil {
		return nil, err
	}
	site, err := web.Open(cmd.Context(), web.Options{Dir: dir, Wait: wait, Listen: p.listen, Token: token})
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "soup: live page: "+site.Link())
	return site, nil
}

// beside serves the page of a study while it runs, if --listen asks for that, and
// returns what ends it. A page that breaks is no reason to end a study.
func (p *pageFlags) beside(cmd *cobra.Command, dir string, workers bool) (hide func(), err error) {
	if p.listen == "" {
		if p.tokenFile != "" && !workers {
			return nil, &usage.Error{Message: "--token-file without --listen: there is nothing to guard"}
		}
		return func() {}, nil
	}
	site, err := p.open(cmd, dir, true)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := site.Serve(ctx); err != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "soup: warning: the live page has ended: "+oneLine(err.Error()))
		}
	}()
	return func() {
		cancel()
		<-served
	}, nil
}
