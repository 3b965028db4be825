package merge

// Scratch is a hidden directory beside an output, for what is made on the way
// to it. It is on the output's disk, so that what is complete appears in one
// rename. What killed processes left of the same output is removed when it is
// made.
type Scratch struct{ draft *draft }

// NewScratch makes the directory, and those above it.
func NewScratch(out string) (*Scratch, error) {
	real, err := resolved(out)
	if err != nil {
		return nil, err
	}
	d, err := newDraft(realDisk{}, real)
	if err != nil {
		return nil, err
	}
	return &Scratch{d}, nil
}

// Path returns the place of a name in the directory.
func (s *Scratch) Path(name string) string { return s.draft.path(name) }

// Write makes a small file there and brings it to the disk.
func (s *Scratch) Write(name string, data []byte) error { return s.draft.write(name, data) }

// Publish moves a file or directory of these to a path beside the scratch
// directory. Its content must be on the disk already.
func (s *Scratch) Publish(name, to string) error {
	real, err := resolved(to)
	if err != nil {
		return err
	}
	return s.draft.publishFile(name, real)
}

// Remove removes the directory with all that is left in it.
func (s *Scratch) Remove() { s.draft.discard() }
