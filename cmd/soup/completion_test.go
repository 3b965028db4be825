package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// bashWords stands for the part of the package bash-completion that cobra's script
// calls: the words of the line, not divided at = and : (-n "=:"), and files by
// pattern, which are only named here.
const bashWords = `
_get_comp_words_by_ref() {
	words=($COMP_LINE)
	[[ $COMP_LINE == *" " ]] && words+=("")
	cword=$((${#words[@]} - 1)) cur=${words[cword]} prev=${words[cword-1]}
}
_filedir() { COMPREPLY=("files:$1"); }
__ltrim_colon_completions() { :; }
compopt() { :; }
`

// bash completes lines with the script that soup completion writes.
func TestCompletionInBash(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, folder := range []string{"night", "nothing"} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"night/study.db", "night.yaml"} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"soup rep":                               "report",
		"soup report ":                           "night",
		"soup run n":                             "files:yaml|yml|",
		"soup merge a/arith b/order --weights o": "order=",
		"soup merge --store b":                   "bfloat16",
		"soup eval --server ol":                  "ollama",
		"soup report night --js":                 "--json",
	} {
		cmd := exec.Command("bash", "--norc", "-c", bashWords+`source <(soup completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
__start_soup
printf '%s\n' "${COMPREPLY[@]}"`, "bash", line)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		if got := strings.Join(strings.Fields(string(out)), " "); got != want {
			t.Errorf("%q is completed to %q, want %q", line, got, want)
		}
	}
}
