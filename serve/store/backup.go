package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"sonotype/internal/problem"
)

// Backup writes a whole copy of the database to a new file, while the server goes on.
func (s *Store) Backup(ctx context.Context, to string) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return &problem.Error{What: "the back-up would overwrite a file", File: to, Err: err, Try: "choose a new name"}
	}
	if _, err := s.read.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return &problem.Error{What: "cannot write the back-up", File: to, Err: named(err)}
	}
	return Check(ctx, to)
}

// Check reads a database file through and reports damage to it, or to its audit log.
func Check(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return &problem.Error{What: "cannot read the database", File: path, Err: err}
	}
	db, err := connect(path, "mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	damaged := func(err error) error {
		return &problem.Error{What: "the database is damaged", File: path, Err: err, Try: "restore an older back-up"}
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return damaged(err)
	}
	if verdict != "ok" {
		return damaged(errors.New(verdict))
	}
	_, _, err = (&Store{read: db}).VerifyAudit(ctx)
	return err
}

// Restore puts a checked back-up in the place of the database at path, which no server may be using. The old file stays
// beside it as path + ".before-restore".
func Restore(ctx context.Context, from, path string) error {
	if err := Check(ctx, from); err != nil {
		return err
	}
	src, err := connect(from, "mode=ro")
	if err != nil {
		return err
	}
	defer src.Close()
	fresh := path + ".restoring"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := src.ExecContext(ctx, "VACUUM INTO ?", fresh); err != nil {
		return &problem.Error{What: "cannot restore the back-up", File: from, Err: named(err)}
	}
	if err := settle(ctx, path); err != nil {
		return err
	}
	if err := os.Rename(path, path+".before-restore"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, path)
}

// settle moves what lies in the write-ahead log of an unused database into the file itself, since the log would be taken
// for that of the file that comes in its place.
func settle(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := connect(path, "mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	var busy int
	err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(truncate)").Scan(&busy, new(sql.NullInt64), new(sql.NullInt64))
	if err != nil || busy != 0 {
		return &problem.Error{What: "the database is in use or damaged", File: path, Err: err, Try: "stop the server; move a damaged file away"}
	}
	return nil
}
