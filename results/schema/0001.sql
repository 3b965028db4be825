CREATE TABLE study (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    name    TEXT NOT NULL,
    seed    TEXT NOT NULL, -- decimal: a uint64 does not fit in INTEGER
    created TEXT NOT NULL,
    config  TEXT NOT NULL  -- the study file, as last run
) STRICT;

CREATE TABLE settings (
    position INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    value    TEXT NOT NULL
) STRICT;

CREATE TABLE parents (
    position INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    path     TEXT NOT NULL,
    hash     TEXT NOT NULL -- of the content
) STRICT;

CREATE TABLE trials (
    number        INTEGER PRIMARY KEY CHECK (number >= 0),
    strategy      TEXT    NOT NULL,
    label         TEXT    NOT NULL,
    key           TEXT    NOT NULL, -- equal keys, equal outcomes
    weights       TEXT    NOT NULL, -- JSON: one row a group, one number a parent
    groups        TEXT    NOT NULL, -- JSON: names of the groups, or null
    state         TEXT    NOT NULL CHECK (state IN ('running', 'complete', 'pruned', 'failed', 'cached')),
    of            INTEGER NOT NULL REFERENCES trials (number), -- the trial that holds the outcomes
    reason        TEXT    NOT NULL,
    merge_seconds REAL    NOT NULL CHECK (merge_seconds BETWEEN 0 AND 1e300),
    swap_seconds  REAL    NOT NULL CHECK (swap_seconds BETWEEN 0 AND 1e300),
    eval_seconds  REAL    NOT NULL CHECK (eval_seconds BETWEEN 0 AND 1e300),
    attempt       INTEGER NOT NULL CHECK (attempt >= 1),
    started       TEXT    NOT NULL,
    finished      TEXT    NOT NULL, -- empty while running
    CHECK ((state = 'cached') = (of <> number))
) STRICT;

CREATE INDEX trials_by_key ON trials (key);

-- One row an item: that it belongs to one split only holds by construction.
CREATE TABLE items (
    number   INTEGER PRIMARY KEY, -- order of first recording
    item     TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL,
    cluster  TEXT NOT NULL,
    split    TEXT NOT NULL CHECK (split IN ('search', 'selection', 'test'))
) STRICT;

CREATE TABLE outcomes (
    trial   INTEGER NOT NULL REFERENCES trials (number),
    item    INTEGER NOT NULL REFERENCES items (number),
    state   TEXT    NOT NULL CHECK (state IN ('ok', 'truncated', 'failed', 'timeout', 'missing')),
    score   REAL CHECK (score BETWEEN -1e300 AND 1e300),
    soft    REAL CHECK (soft BETWEEN -1e300 AND 1e300),
    answer  TEXT    NOT NULL,
    finish  TEXT    NOT NULL,
    error   TEXT    NOT NULL,
    latency INTEGER NOT NULL CHECK (latency >= 0), -- nanoseconds
    PRIMARY KEY (trial, item),
    CHECK ((state IN ('ok', 'truncated')) = (score IS NOT NULL)) -- not measured is not zero
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    time   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    detail TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE notes (
    strategy TEXT    NOT NULL,
    line     INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (strategy, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE winner (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    trial  INTEGER NOT NULL REFERENCES trials (number),
    path   TEXT    NOT NULL,
    sha256 TEXT    NOT NULL,
    reason TEXT    NOT NULL -- JSON
) STRICT;

-- For people with an SQLite shell.
CREATE VIEW answers AS
SELECT o.trial, t.strategy, t.label, i.item, i.category, i.cluster, i.split,
       o.state, o.score, o.soft, o.answer, o.finish, o.error, o.latency / 1e9 AS seconds
FROM outcomes o
JOIN trials t ON t.number = o.trial
JOIN items i ON i.number = o.item
ORDER BY o.trial, i.number;
