// Package store keeps what the decision-support page knows - cases, outlines, predictions, readers, and who did what - in
// one SQLite file. What a call has confirmed survives a crash; nothing half written is ever seen.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sonotype/internal/problem"
)

//go:embed schema.sql
var schema string

const schemaVersion = 1

// Errors that a caller may want to tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("the idempotency key was used for another upload")
	ErrFull     = errors.New("the disk is full")
)

// Store is an open database. Its methods may be called from several goroutines.
type Store struct {
	write *sql.DB // one connection: SQLite has one writer, and waiting here is fair
	read  *sql.DB
	vault *Vault
	now   func() time.Time
}

// Open opens the database, making it where there is none.
func Open(path string, v *Vault) (*Store, error) {
	s := &Store{vault: v, now: time.Now}
	err := private(path)
	if err != nil {
		return nil, &problem.Error{What: "cannot open the database", File: path, Err: err}
	}
	if s.write, err = connect(path, "_pragma=journal_mode(wal)&_txlock=immediate"); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if err := s.migrate(); err != nil {
		s.write.Close()
		return nil, &problem.Error{What: "cannot open the database", File: path, Err: err,
			Try: "check that the folder can be written to; a damaged file can be replaced by a back-up (sonotype serve restore)"}
	}
	if s.read, err = connect(path, "mode=ro"); err != nil {
		s.write.Close()
		return nil, err
	}
	s.read.SetMaxOpenConns(4)
	return s, nil
}

// private makes a file that only its owner can read, where there is none: SQLite gives its log the same rights.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// connect opens a database. What is deleted is overwritten: it was a patient's.
func connect(path, more string) (*sql.DB, error) {
	q := "_pragma=synchronous(full)&_pragma=secure_delete(on)&_pragma=foreign_keys(on)&_pragma=busy_timeout(5000)&" + more
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q}).String())
}

// migrate makes the tables of an empty file, and refuses those of another version.
func (s *Store) migrate() error {
	return s.transact(context.Background(), func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch version {
		case schemaVersion:
			return nil
		case 0:
			_, err := tx.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion))
			return err
		}
		return fmt.Errorf("its version is %d, this program's %d", version, schemaVersion)
	})
}

// Close ends the use of the database.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ready reports whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1").Scan(&one)
}

// transact runs do as one change: all of it is kept, or nothing.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return named(err)
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return named(err)
	}
	return named(tx.Commit())
}

// named names the errors that have a name here.
func named(err error) error {
	var e *sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL:
		return ErrFull
	}
	return err
}

// row is a line of an answer.
type row interface{ Scan(...any) error }

// list reads every line of an answer.
func list[T any](ctx context.Context, db *sql.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, named(err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		x, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, named(rows.Err())
}

// newID is 128 random bits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// stamp is the present time as it is stored.
func (s *Store) stamp() string { return s.now().UTC().Format(time.RFC3339Nano) }

// at reads a stored time.
func at(stamp string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return time.Time{}
	}
	return t
}
