-- Log-probabilities of the labels of multiple choice questions, as the server gave
-- them: a JSON list in the order of the labels, and the place of the right one.
CREATE TABLE labels (
    trial    INTEGER NOT NULL,
    item     INTEGER NOT NULL,
    "right"  INTEGER NOT NULL CHECK ("right" >= 0),
    logprobs TEXT    NOT NULL CHECK (json_valid(logprobs)),
    PRIMARY KEY (trial, item),
    FOREIGN KEY (trial, item) REFERENCES outcomes (trial, item)
) STRICT, WITHOUT ROWID;
