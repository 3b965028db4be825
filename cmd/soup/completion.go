package main

import (
	"strings"

	"github.com/spf13/cobra"

	"soup/internal/completion"
	"soup/internal/serve"
	"soup/internal/single"
)

// completeFlags tells a command's options what shells may offer for their values.
// Options of one name take one kind of value in every command.
func completeFlags(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		completeFlags(cmd)
		for name, offer := range map[string]cobra.CompletionFunc{
			"server":     words(serve.Kinds()...),
			"store":      words("bfloat16", "float16", "float32"),
			"format":     words("safetensors", "gguf"),
			"split":      words("search", "selection", "test"),
			"groups":     part("layers=", "kind=", "patterns="),
			"weights":    weights,
			"strategies": strategies,
			"data":       data,
			"recipe":     files("json", "yaml", "yml"),
			"answers":    files("jsonl"),
			"dir":        folders,
			"config":     folders,
			"grid":       folders,
		} {
			if cmd.Flags().Lookup(name) != nil {
				must(cmd.RegisterFlagCompletionFunc(name, offer))
			}
		}
	}
}

// must is for what only a mistake in this package makes fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// words offers fixed words.
func words(all ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

// part offers beginnings of words.
func part(all ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
}

// files offers files with one of these endings, and folders.
func files(endings ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// methods offers how to average.
func methods(names func() []string) cobra.CompletionFunc { return words(names()...) }

func weights(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	return completion.Weights(args, word), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func strategies(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completion.Strategies(word), cobra.ShellCompDirectiveNoFileComp
}

// data offers official benchmarks beside files.
func data(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if found := completion.Families(word); word != "" && len(found) > 0 {
		return found, cobra.ShellCompDirectiveNoSpace
	}
	return []string{"jsonl", "json", "yaml"}, cobra.ShellCompDirectiveFilterFileExt
}

// studyFile offers study files, once.
func studyFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// studies offers folders of studies, at most so many.
func studies(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found := completion.Studies(word)
		for _, path := range found {
			if strings.HasSuffix(path, "/") {
				return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// scores offers tables and folders of studies.
func scores(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if found, directive := studies(1)(cmd, args, word); len(found) > 0 || len(args) > 0 {
		return found, directive &^ cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"csv"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeArguments tells commands what shells may offer as arguments; where
// nothing is said they offer files.
func completeArguments(root *cobra.Command) {
	const many = 1000
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "run":
			cmd.ValidArgsFunction = studyFile
		case "report", "export":
			cmd.ValidArgsFunction = studies(1)
		case "compare":
			cmd.ValidArgsFunction = studies(many)
		case "analyze":
			cmd.ValidArgsFunction = scores
		case "merge":
			must(cmd.RegisterFlagCompletionFunc("method", methods(single.Methods)))
		case "average":
			must(cmd.RegisterFlagCompletionFunc("method", methods(single.RunMethods)))
		case "eval", "bench", "version":
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}
