package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"sonotype/internal/problem"
)

// Backup writes a whole copy of the database at path to a new file, while a server may go on with it.
func Backup(ctx context.Context, path, to string) error {
	src, err := existing(path, "mode=ro")
	if err != nil {
		return err
	}
	defer src.Close()
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return &problem.Error{What: "the back-up would overwrite a file", File: to, Err: err, Try: "choose a new name"}
	}
	if err := vacuum(ctx, src, to); err != nil {
		return &problem.Error{What: "cannot write the back-up", File: to, Err: named(err)}
	}
	return Check(ctx, to)
}

// existing connects to a database that must be there.
func existing(path, more string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, &problem.Error{What: "cannot read the database", File: path, Err: err}
	}
	return connect(path, more)
}

// vacuum writes a database to a new file that only its owner can read, or leaves no file.
func vacuum(ctx context.Context, src *sql.DB, to string) error {
	err := private(to)
	if err == nil {
		_, err = src.ExecContext(ctx, "VACUUM INTO ?", to)
	}
	if err != nil {
		os.Remove(to)
	}
	return err
}

// Check reads a database file through and reports damage to it, or to its audit log.
func Check(ctx context.Context, path string) error {
	db, err := existing(path, "mode=ro")
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
	if err := vacuum(ctx, src, fresh); err != nil {
		return &problem.Error{What: "cannot restore the back-up", File: from, Err: named(err)}
	}
	if err := settle(ctx, path); err != nil {
		return err
	}
	if err := setAside(path, path+".before-restore"); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// setAside gives a file a second name, so that there is a file under the first one at every moment; where the disk has no
// such names it is renamed.
func setAside(path, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Link(path, to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(path, to)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// settle ends the write-ahead log of an unused database, since it would be taken for that of the file that comes in its
// place. SQLite refuses that as long as anybody else has the database open.
func settle(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := connect(path, "mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode = delete").Scan(&mode)
	if err != nil || mode != "delete" {
		return &problem.Error{What: "the database is in use or damaged", File: path, Err: err, Try: "stop the server; move a damaged file away"}
	}
	return nil
}
