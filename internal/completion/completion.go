// Package completion knows what may stand at a place of soup's command line that a
// shell is about to complete.
//
// Every function takes the word so far and returns whole words that begin with it.
package completion

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"soup/benchmarks"
	"soup/search"
)

// ledger is the file by which the folder of a study is known.
const ledger = "study.db"

// Studies returns the folders of studies, and those that have one inside, with a
// slash at the end.
func Studies(word string) (found []string) {
	folder, begin := filepath.Split(word)
	entries, err := os.ReadDir(filepath.Join(".", folder))
	if filepath.IsAbs(folder) {
		entries, err = os.ReadDir(folder)
	}
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, begin) || strings.HasPrefix(name, ".") && begin == "" {
			continue
		}
		switch path := folder + name; {
		case isStudy(path):
			found = append(found, path)
		case holdsStudy(path):
			found = append(found, path+"/")
		}
	}
	return found
}

func isStudy(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, ledger))
	return err == nil && info.Mode().IsRegular()
}

// holdsStudy looks one and two levels down: deeper, a completion would be slow.
func holdsStudy(folder string) bool {
	for _, pattern := range []string{"*", "*/*"} {
		if found, err := filepath.Glob(filepath.Join(escaped(folder), pattern, ledger)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// Weights returns "NAME=" for the parents that paths name and the word does not
// yet, behind the weights that it has.
func Weights(paths []string, word string) (found []string) {
	given, begin := lastOf(word)
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, begin) && !strings.Contains(","+given, ","+name+"=") {
			found = append(found, given+name+"=")
		}
	}
	return found
}

// List returns the names that may follow in a list with commas.
func List(names []string, word string) (found []string) {
	given, begin := lastOf(word)
	for _, name := range names {
		if strings.HasPrefix(name, begin) && !slices.Contains(strings.Split(given, ","), name) {
			found = append(found, given+name)
		}
	}
	return found
}

// lastOf divides a list before its last entry.
func lastOf(word string) (given, begin string) {
	i := strings.LastIndex(word, ",") + 1
	return word[:i], word[i:]
}

// Strategies returns the names of strategies that may follow in a list.
func Strategies(word string) []string { return List(search.Names(), word) }

// Families returns "FAMILY:" for official benchmarks.
func Families(word string) (found []string) {
	for _, name := range benchmarks.Families() {
		if strings.HasPrefix(name, word) {
			found = append(found, name+":")
		}
	}
	return found
}
