-- Scores of candidates, so that a report need not read all outcomes again. There is a row for every trial and split
-- with outcomes. Where current is 0, outcomes came after it and its numbers mean nothing. A change of how scores are
-- computed takes a migration that sets current to 0.
CREATE TABLE scores (
    trial     INTEGER NOT NULL REFERENCES trials (number),
    split     TEXT    NOT NULL CHECK (split IN ('search', 'selection', 'test')),
    current   INTEGER NOT NULL CHECK (current IN (0, 1)),
    mean      REAL CHECK (mean BETWEEN -1e300 AND 1e300), -- of the objective
    se        REAL CHECK (se BETWEEN 0 AND 1e300),        -- standard error of the mean
    n         INTEGER NOT NULL DEFAULT 0 CHECK (n >= 0),  -- scored
    failed    INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
    timeout   INTEGER NOT NULL DEFAULT 0 CHECK (timeout >= 0),
    missing   INTEGER NOT NULL DEFAULT 0 CHECK (missing >= 0),
    truncated INTEGER NOT NULL DEFAULT 0 CHECK (truncated BETWEEN 0 AND n),
    PRIMARY KEY (trial, split)
) STRICT, WITHOUT ROWID;

CREATE INDEX outdated_scores ON scores (trial, split) WHERE current = 0;

CREATE TABLE category_scores (
    trial     INTEGER NOT NULL,
    split     TEXT    NOT NULL,
    category  TEXT    NOT NULL,
    mean      REAL CHECK (mean BETWEEN -1e300 AND 1e300),
    se        REAL CHECK (se BETWEEN 0 AND 1e300),
    n         INTEGER NOT NULL CHECK (n >= 0),
    failed    INTEGER NOT NULL CHECK (failed >= 0),
    timeout   INTEGER NOT NULL CHECK (timeout >= 0),
    missing   INTEGER NOT NULL CHECK (missing >= 0),
    truncated INTEGER NOT NULL CHECK (truncated BETWEEN 0 AND n),
    PRIMARY KEY (trial, split, category),
    FOREIGN KEY (trial, split) REFERENCES scores (trial, split)
) STRICT, WITHOUT ROWID;

INSERT INTO scores (trial, split, current)
SELECT DISTINCT o.trial, i.split, 0 FROM outcomes o JOIN items i ON i.number = o.item;
