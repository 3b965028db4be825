package benchmarks

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"soup/eval"
)

// document is one row of a task's data; every document of a task has the same
// columns, with nil where its line had none.
type document = map[string]any

// data reads the files of each split.
func (t *taskFile) data() (map[string][]document, error) {
	kind, err := t.text("dataset_path", "")
	if err != nil {
		return nil, err
	}
	switch kind {
	case "json", "csv":
	case "parquet", "arrow":
		return nil, t.fail("dataset_path", "%s files are not read; write them as JSON Lines, such as with Dataset.to_json", kind)
	default:
		return nil, t.fail("dataset_path", "%q is fetched from a hub, and soup fetches nothing; save its splits as JSON Lines and set dataset_path: json with data_files", kind)
	}
	kwargs, err := t.section("dataset_kwargs", "data_files", "trust_remote_code")
	if err != nil {
		return nil, err
	}
	bySplit, ok := kwargs["data_files"].(map[string]any)
	if !ok {
		bySplit = map[string]any{"train": kwargs["data_files"]} // the name that a lone file gets
	}
	splits := map[string][]document{}
	for _, split := range slices.Sorted(maps.Keys(bySplit)) {
		files := listOf(bySplit[split])
		if len(files) == 0 {
			return nil, t.fail("dataset_kwargs", "data_files: no files of split %s", split)
		}
		for _, name := range files {
			docs, err := t.read(kind, name)
			if err != nil {
				return nil, err
			}
			splits[split] = append(splits[split], docs...)
		}
		if len(splits[split]) == 0 {
			return nil, t.fail("dataset_kwargs", "split %s has no documents", split)
		}
		fillColumns(splits[split])
	}
	return splits, nil
}

// read finds a file beside the task or, as lm-eval does, in the working directory.
func (t *taskFile) read(kind, name string) ([]document, error) {
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(filepath.Dir(t.path), name)
		if _, err := os.Stat(path); err != nil {
			if _, err := os.Stat(name); err == nil {
				path = name
			}
		}
	}
	if kind == "csv" {
		return readCSV(path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if text := bytes.TrimSpace(raw); bytes.HasPrefix(text, []byte("[")) {
		return readArray(path, text)
	}
	var docs []document
	err = eval.ReadJSONL(path, func(_ int, raw json.RawMessage) error {
		v, err := decodeJSON(raw)
		if doc, ok := v.(document); err == nil && ok {
			docs = append(docs, doc)
			return nil
		}
		return fmt.Errorf("not a JSON object")
	})
	return docs, err
}

func readArray(path string, raw []byte) ([]document, error) {
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var docs []document
	for i, x := range v.([]any) {
		doc, ok := x.(document)
		if !ok {
			return nil, fmt.Errorf("%s: element %d is not an object", path, i+1)
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

func fillColumns(docs []document) {
	columns := document{}
	for _, doc := range docs {
		maps.Copy(columns, doc)
	}
	for _, doc := range docs {
		for name := range columns {
			if _, ok := doc[name]; !ok {
				doc[name] = nil
			}
		}
	}
}

// readCSV reads a file with a header. As with pandas, whose reader lm-eval uses, a
// column of numbers or of True and False has such values, and an empty cell is
// None, with which a column of whole numbers becomes one of floats.
func readCSV(path string) ([]document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no header", path)
	}
	docs := make([]document, len(rows)-1)
	for i := range docs {
		docs[i] = document{}
	}
	for c, name := range rows[0] {
		cells := make([]string, len(docs))
		for i := range docs {
			cells[i] = rows[i+1][c]
		}
		for i, v := range column(cells) {
			docs[i][name] = v
		}
	}
	return docs, nil
}

// noValue are the cells that pandas takes for missing.
var noValue = []string{
	"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
}

func column(cells []string) []any {
	whole, numbers, bools, missing := true, true, true, false
	for _, cell := range cells {
		if slices.Contains(noValue, cell) {
			missing = true
			continue
		}
		_, err := strconv.ParseInt(cell, 10, 64)
		whole = whole && err == nil
		_, err = strconv.ParseFloat(cell, 64)
		numbers = numbers && err == nil
		bools = bools && (cell == "True" || cell == "False")
	}
	values := make([]any, len(cells))
	for i, cell := range cells {
		switch {
		case slices.Contains(noValue, cell):
		case whole && !missing:
			n, _ := strconv.ParseInt(cell, 10, 64)
			values[i] = json.Number(strconv.FormatInt(n, 10))
		case numbers:
			f, _ := strconv.ParseFloat(cell, 64)
			values[i] = json.Number(pythonNumber(json.Number(strconv.FormatFloat(f, 'e', -1, 64))))
		case bools && !missing:
			values[i] = cell == "True"
		default:
			values[i] = cell
		}
	}
	return values
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
