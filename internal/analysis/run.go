package analysis

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/google/renameio/v2"

	"soup/internal/study"
	"soup/internal/usage"
)

// Request is what the command line asks for.
type Request struct {
	Table  string   // a CSV file, or the folder of a study
	Recipe string   // a recipe file; "" for none
	SVG    string   // a picture to write; "" for none
	Front  []string // categories of a study to find the front of; none for no front
	Columns
	Options
}

// Run reads the table, analyses it and compares it with what was published.
func Run(ctx context.Context, r Request) (*Analysis, error) {
	var recipe Recipe
	if r.Recipe != "" {
		var err error
		if recipe, err = r.withRecipe(); err != nil {
			return nil, err
		}
	}
	if _, err := os.Lstat(r.SVG); r.SVG != "" && err == nil {
		return nil, usage.Errorf("--svg: %s exists; name another file", r.SVG)
	}
	info, err := os.Stat(r.Table)
	if err != nil {
		return nil, &usage.Error{Message: err.Error(), Advice: "give a CSV file with one model a row, or the folder of a study"}
	}
	var a *Analysis
	if info.IsDir() {
		a, err = r.ofStudy(ctx)
	} else {
		a, err = r.ofTable(recipe)
	}
	if err != nil || r.SVG == "" {
		return a, err
	}
	return a, a.save(r.SVG)
}

// ofTable analyses a CSV file.
func (r Request) ofTable(recipe Recipe) (*Analysis, error) {
	if len(r.Front) > 0 {
		return nil, usage.Errorf("--front takes the folder of a study, not a table: it compares item by item")
	}
	models, err := Read(r.Table, r.Columns)
	if err != nil {
		return nil, err
	}
	rest, err := recipe.Without(models)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Recipe, err)
	}
	a, err := Analyze(r.Table, rest, r.Options)
	if err != nil {
		return nil, err
	}
	if err := a.Compare(recipe.Published, models, rest, r.Among); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Recipe, err)
	}
	return a, nil
}

// ofStudy analyses the search scores of a study's parents and soups.
func (r Request) ofStudy(ctx context.Context) (*Analysis, error) {
	if r.Model != "" || len(r.Categories) > 0 || r.Transposed || r.Recipe != "" {
		return nil, usage.Errorf("%s: a study's folder has its own categories: leave out --model-column, --category, --transposed and --recipe", r.Table)
	}
	report, err := study.BuildReport(ctx, r.Table)
	if err != nil {
		return nil, err
	}
	parents, soups := split(report)
	a, err := Analyze(r.Table, parents, r.Options)
	if err != nil {
		return nil, err
	}
	a.Souping = souping(report, a.Categories, parents, soups)
	if len(r.Front) > 0 {
		a.Front, err = study.BuildFront(ctx, r.Table, r.Front)
	}
	return a, err
}

// withRecipe reads the recipe; what the command line says as well is a mistake.
func (r *Request) withRecipe() (Recipe, error) {
	if r.Model != "" || len(r.Categories) > 0 || r.Transposed || len(r.Among) > 0 {
		return Recipe{}, usage.Errorf("--recipe says how to read the table: leave out --model-column, --category, --transposed and --candidate")
	}
	recipe, err := ReadRecipe(r.Recipe)
	if err != nil {
		return recipe, err
	}
	r.Columns, r.Among = recipe.Columns(), recipe.Candidates
	if len(r.Tau) == 0 {
		r.Tau = recipe.Tau
	}
	return recipe, nil
}

// save writes the picture, whole or not at all.
func (a *Analysis) save(path string) error {
	var picture bytes.Buffer
	if err := a.WriteSVG(&picture); err != nil {
		return err
	}
	return renameio.WriteFile(path, picture.Bytes(), 0o644)
}
