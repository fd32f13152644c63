-- The decision-support page's data, version 1 (PRAGMA user_version). Times are UTC, RFC 3339 with nanoseconds.
CREATE TABLE readers (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  role     TEXT NOT NULL CHECK (role IN ('reader', 'admin')),
  password TEXT NOT NULL,              -- argon2id, PHC string
  failed   INTEGER NOT NULL DEFAULT 0, -- attempts in a row
  locked   TEXT NOT NULL DEFAULT '',   -- until
  created  TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  token   BLOB PRIMARY KEY,            -- SHA-256 of the cookie's value
  reader  TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
  expires TEXT NOT NULL
) STRICT;

CREATE TABLE cases (
  id       TEXT PRIMARY KEY,
  created  TEXT NOT NULL,
  reader   TEXT NOT NULL,              -- name of who added it
  patient  BLOB NOT NULL,              -- sealed or pseudonymised; see vault.go
  image    BLOB NOT NULL,              -- the file as it came
  sha256   TEXT NOT NULL,              -- of image
  device   TEXT NOT NULL DEFAULT '',
  pixel_mm REAL,                       -- of the original image; NULL: unknown
  biopsy   REAL                        -- the measured marker, entered later; NULL: none
) STRICT;
CREATE INDEX cases_created ON cases (created DESC, id);

CREATE TABLE outlines (
  id      TEXT PRIMARY KEY,
  subject TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
  created TEXT NOT NULL,
  reader  TEXT NOT NULL,
  mask    BLOB NOT NULL,               -- the file as it came: NIfTI or PNG
  sha256  TEXT NOT NULL
) STRICT;
CREATE INDEX outlines_subject ON outlines (subject, created);

CREATE TABLE predictions (
  id      TEXT PRIMARY KEY,
  subject TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
  outline TEXT NOT NULL REFERENCES outlines (id) ON DELETE CASCADE,
  created TEXT NOT NULL,
  reader  TEXT NOT NULL,
  bundle  TEXT NOT NULL,               -- its hash
  result  TEXT NOT NULL                -- JSON, as the API gives it
) STRICT;
CREATE INDEX predictions_subject ON predictions (subject, created);

-- An upload's Idempotency-Key, so that sending it again gives the same answer.
CREATE TABLE uploads (
  reader  TEXT NOT NULL,
  key     TEXT NOT NULL,
  request TEXT NOT NULL,               -- SHA-256 of what was sent
  subject TEXT NOT NULL,               -- id of what it made
  PRIMARY KEY (reader, key)
) STRICT, WITHOUT ROWID;

-- Who did what. Each entry's hash is over the entry and the hash before it.
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY,
  time    TEXT NOT NULL,
  actor   TEXT NOT NULL,
  action  TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail  TEXT NOT NULL,
  hash    TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;
