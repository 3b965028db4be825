package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"soup/internal/fleet"
	"soup/internal/study"
	"soup/internal/usage"
	"soup/internal/web"
)

func newWorkerCommand() *cobra.Command {
	var o study.WorkOptions
	var tokenFile string
	cmd := &cobra.Command{
		Use:   "worker --join URL PATH...",
		Short: "Score candidates for a study on another machine",
		Long: `Score candidates for a study on another machine: one that runs there as soup run
--listen :4222, or with --nats. PATHs are this machine's copies of the study's
parents, and of its base; they are known by their content. Items and options
come from the study; the server is this machine's own. --pull copies parents
that are missing here. Several workers may join, and may come and go; one that
is told to end (SIGTERM, Ctrl-C) hands its candidate back. It ends by itself
when the study does.`,
		Example: `  SOUP_TOKEN=$(cat token) soup worker --join nats://head:4222 base finetune/*
  soup worker --join nats://head:4222 --token-file token --pull --dir /scratch
  soup worker --join tls://head:4222 --token-file token --tls-ca ca.pem base a b`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.Pull {
				return nil
			}
			return atLeast(1, "the paths of the study's parents")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Remote.URL == "" {
				return &usage.Error{Message: "--join is missing: where the study runs", Advice: "such as --join nats://head:4222; soup run --listen :4222 prints it"}
			}
			if o.Pull && o.Dir == "" {
				return &usage.Error{Message: "--pull: copies of parents are kept, and no folder is named for them", Advice: "add --dir DIR"}
			}
			var err error
			if o.Token, err = web.ReadToken(tokenFile); err != nil {
				return err
			}
			if err := makeKey(o.Key); err != nil {
				return err
			}
			o.Wait = patienceToJoin
			o.Parents, o.Warnings, o.Info = args, cmd.ErrOrStderr(), cmd.ErrOrStderr()
			if quiet(cmd) {
				o.Info = io.Discard
			}
			return study.Work(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Remote.URL, "join", "", "where the study runs: nats://HOST:PORT, or tls://")
	cmd.Flags().StringVar(&o.Study, "study", "", "name of the study, if there are several at the address")
	cmd.Flags().BoolVar(&o.Pull, "pull", false, "copy parents that are not among the paths from the coordinator, into --dir")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder for candidates and conversions (default: a temporary one)")
	cmd.Flags().StringVar(&o.Name, "name", "", "name of the worker (default: host and process)")
	cmd.Flags().StringVar(&o.URL, "url", "", "address of this machine's server, where it is not the study file's")
	cmd.Flags().BoolVar(&o.Commands, "allow-commands", false, "run the programs that the study names: metrics, server.swap, server.program")
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "file with the coordinator's token (or "+web.TokenVariable+" in the environment)")
	registerTrust(cmd, &o.Remote)
	return cmd
}

// makeKey sees to it that there is a key. With a new one nobody lets the worker in yet.
func makeKey(path string) error {
	if path == "" {
		return nil
	}
	public, made, err := fleet.MakeKey(path)
	if made && err == nil {
		err = &usage.Error{Message: "--nkey-file " + path + ": a new key is in it now, which no coordinator knows yet", Advice: "add this line to the file of soup run --nkeys, and join again: " + public}
	}
	return err
}

// patienceToJoin is how long a worker waits for a study that has not begun.
const patienceToJoin = 30 * time.Second

// registerTrust adds the options of a connection to a NATS server.
func registerTrust(cmd *cobra.Command, r *fleet.Remote) {
	cmd.Flags().StringVar(&r.Creds, "nats-creds", "", "file with the credentials (JWT and nkey) that the NATS server wants")
	cmd.Flags().StringVar(&r.Key, "nkey-file", "", "file with the seed of an nkey in place of a token; a new one is written if it is not there")
	cmd.Flags().StringVar(&r.CA, "tls-ca", "", "file of the authority that signed the server's certificate (default: the system's)")
}

// fleetFlags are the options of a run that workers may join.
type fleetFlags struct {
	listen fleet.Listen
	nkeys  string // file
	remote fleet.Remote
}

func (f *fleetFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.remote.URL, "nats", "", "NATS server or cluster (with JetStream) through which workers join")
	cmd.Flags().StringVar(&f.nkeys, "nkeys", "", "file with the public nkeys of workers that may join, one a line")
	cmd.Flags().StringVar(&f.listen.Cert, "tls-cert", "", "file of the certificate that workers are shown")
	cmd.Flags().StringVar(&f.listen.Key, "tls-key", "", "file of its key")
	registerTrust(cmd, &f.remote)
}

// fleet is nil where no worker can join.
func (f *fleetFlags) fleet(tokenFile string) (*study.Fleet, error) {
	switch {
	case f.listen.Address == "" && f.remote.URL == "":
		if f.listen.Cert != "" || f.listen.Key != "" || f.nkeys != "" || f.remote.Creds != "" || f.remote.CA != "" || f.remote.Key != "" {
			return nil, &usage.Error{Message: "certificates, keys and credentials go with workers", Advice: "add --listen :" + fleet.Port + " or --nats URL"}
		}
		return nil, nil
	case f.listen.Address != "" && f.remote.URL != "":
		return nil, usage.Errorf("workers join at --nats %s or at --listen %s, not both", f.remote.URL, f.listen.Address)
	}
	token, err := web.ReadToken(tokenFile)
	if err != nil {
		return nil, err
	}
	if f.remote.URL != "" {
		f.remote.Token = token
		return &study.Fleet{Remote: &f.remote}, nil
	}
	if f.nkeys != "" {
		if f.listen.Keys, err = fleet.ReadKeys(f.nkeys); err != nil {
			return nil, err
		}
	}
	f.listen.Token = token
	return &study.Fleet{Listen: f.listen}, nil
}
