-- What a server cost, and how it failed.
-- Of the seconds of evaluation: until the first whole answer came, there being no streaming.
ALTER TABLE trials ADD COLUMN first_token_seconds REAL NOT NULL DEFAULT 0 CHECK (first_token_seconds BETWEEN 0 AND 1e300);
-- The kind of failure, such as 'out of memory'; empty where it is none of the known ones.
ALTER TABLE trials ADD COLUMN failure TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN failure TEXT NOT NULL DEFAULT '';
