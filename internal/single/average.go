package single

import (
	"context"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"

	"soup/internal/steps"
	"soup/merge"
	"soup/merge/method"
)

// AverageOptions say which checkpoints of one training run to average and how.
type AverageOptions struct {
	Out      string
	Paths    []string // in any order
	Method   string   // a name of RunMethods; "" is uniform
	Last     string   // number of checkpoints at the end of the run; "" all
	HalfLife string   // of ema's weights, in checkpoints; "" the method's default
	Storing  Storing  // of the soup
	Reading  Reading
	Info     io.Writer // as in MergeOptions
}

// RunMethods returns what AverageOptions.Method may be.
func RunMethods() []string { return method.RunNames() }

// Averaged is what was written.
type Averaged struct {
	Merged
	Steps   []int64 // of the parents that have a weight, the oldest first
	LeftOut int     // checkpoints before these
}

// Average writes the average of a run's checkpoints as a complete checkpoint.
func Average(ctx context.Context, o AverageOptions) (a Averaged, err error) {
	if o.Info == nil {
		o.Info = io.Discard
	}
	options, err := o.Storing.options(o.Info)
	if err != nil {
		return a, err
	}
	run, err := steps.Order(o.Paths)
	if err != nil {
		return a, err
	}
	run, asked, err := o.kept(run)
	if err != nil {
		return a, err
	}
	o.tellDistances(run)
	s, err := o.soup(run, asked)
	defer closeAll(s.Parents)
	if err != nil {
		return a, asUsage(err)
	}
	a.LeftOut, a.Steps = len(o.Paths)-len(s.Parents), stepsOf(s.Parents, run)
	if err := merge.Check(s.Parents, nil).Err(); err != nil {
		return a, err
	}
	options.Method = s.Method + ", along a run"
	b := blend{parents: s.Parents, names: s.Names, recipe: s.Recipe, options: options, storing: o.Storing}
	a.Merged, err = b.write(ctx, o.Out, o.Info)
	return a, err
}

// stepsOf returns the steps of checkpoints of a run.
func stepsOf(parents []*merge.Checkpoint, run []steps.Moment) (steps []int64) {
	of := map[string]int64{}
	for _, m := range run {
		of[m.Path] = m.Step
	}
	for _, p := range parents {
		steps = append(steps, of[p.Path()])
	}
	return steps
}

// method returns the name of the method.
func (o AverageOptions) method() string {
	if o.Method == "" {
		return "uniform"
	}
	return o.Method
}

// kept leaves the checkpoints out that get no weight, so that they need not be
// opened, and returns the options for the others.
func (o AverageOptions) kept(run []steps.Moment) ([]steps.Moment, method.Options, error) {
	var options method.Options
	if err := set(&options, "last", o.Last, "half-life", o.HalfLife); err != nil {
		return nil, options, err
	}
	row, err := method.Run(o.method(), len(run), options)
	if err != nil {
		return nil, options, asUsage(err)
	}
	for len(row) > 0 && row[0] == 0 {
		row, run = row[1:], run[1:]
	}
	options.Last = 0
	return run, options, nil
}

// soup opens the checkpoints and weighs them. What is open is in the result,
// also after an error.
func (o AverageOptions) soup(run []steps.Moment, asked method.Options) (s method.Soup, err error) {
	var in method.Input
	for _, m := range run {
		c, err := o.Reading.open(m.Path)
		if err != nil {
			return method.Soup{Parents: in.Parents}, err
		}
		in.Parents, in.Names = append(in.Parents, c), append(in.Names, m.Name)
	}
	if s, err = method.AlongRun(o.method(), in, asked); err != nil {
		s.Parents = in.Parents
	}
	return s, err
}

// tellDistances says where methods that count checkpoints do not count steps.
func (o AverageOptions) tellDistances(run []steps.Moment) {
	if len(run) < 3 || o.method() == "uniform" {
		return
	}
	least, largest := run[1].Step-run[0].Step, run[1].Step-run[0].Step
	for i := 2; i < len(run); i++ {
		least, largest = min(least, run[i].Step-run[i-1].Step), max(largest, run[i].Step-run[i-1].Step)
	}
	if least != largest {
		fmt.Fprintf(o.Info, "soup: warning: the checkpoints are %d to %d steps apart; %s counts checkpoints, not steps\n", least, largest, o.method())
	}
}

// WriteText prints the checkpoints in their order with their weights, and the
// checksum.
func (a Averaged) WriteText(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("checkpoint", "step", "weight")
	for i, name := range a.Names {
		if err := table.Append(name, a.Steps[i], short(a.Weights[0][i])); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	if a.LeftOut > 0 {
		if _, err := fmt.Fprintf(w, "left out: %d of the %d checkpoints given, which are older\n", a.LeftOut, a.LeftOut+len(a.Names)); err != nil {
			return err
		}
	}
	return a.writeSum(w)
}
