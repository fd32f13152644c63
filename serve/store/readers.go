package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"time"
)

// The roles of readers.
const (
	RoleReader = "reader"
	RoleAdmin  = "admin" // may also manage readers and read the audit log
)

// Reader is somebody who may sign in.
type Reader struct {
	ID       string
	Name     string
	Role     string
	Password string // argon2id, PHC string
	Failed   int    // attempts in a row
	Locked   time.Time
}

const readerColumns = "id, name, role, password, failed, locked"

func scanReader(row row) (Reader, error) {
	var r Reader
	var locked string
	err := row.Scan(&r.ID, &r.Name, &r.Role, &r.Password, &r.Failed, &locked)
	r.Locked = at(locked)
	return r, named(err)
}

// SetReader adds a reader, or gives one of that name another role and password, which also unlocks the account and ends
// its sessions.
func (s *Store) SetReader(ctx context.Context, actor, name, role, password string) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO readers (id, name, role, password, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, failed = 0, locked = ''`,
			newID(), name, role, password, s.stamp())
		if err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM sessions WHERE reader = (SELECT id FROM readers WHERE name = ?)", name); err != nil {
			return err
		}
		return s.note(tx, actor, "reader set", name, role)
	})
}

// RemoveReader ends an account; what its reader did stays.
func (s *Store) RemoveReader(ctx context.Context, actor, name string) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec("DELETE FROM readers WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return ErrNotFound
		}
		return s.note(tx, actor, "reader removed", name, "")
	})
}

// Reader is the account of a name, or ErrNotFound.
func (s *Store) Reader(ctx context.Context, name string) (Reader, error) {
	return scanReader(s.read.QueryRowContext(ctx, "SELECT "+readerColumns+" FROM readers WHERE name = ?", name))
}

// Readers lists the accounts by name.
func (s *Store) Readers(ctx context.Context) ([]Reader, error) {
	return list(ctx, s.read, scanReader, "SELECT "+readerColumns+" FROM readers ORDER BY name")
}

// Failed counts a failed attempt; after limit in a row the account is locked for a while, and counting starts anew.
func (s *Store) Failed(ctx context.Context, name string, limit int, lock time.Duration) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		var failed int
		if err := tx.QueryRow("UPDATE readers SET failed = failed + 1 WHERE name = ? RETURNING failed", name).Scan(&failed); err != nil {
			return err
		}
		if failed < limit {
			return s.note(tx, name, "sign-in failed", name, "")
		}
		if _, err := tx.Exec("UPDATE readers SET failed = 0, locked = ? WHERE name = ?", s.now().Add(lock).UTC().Format(time.RFC3339Nano), name); err != nil {
			return err
		}
		return s.note(tx, name, "account locked", name, "for "+lock.String())
	})
}

// AddSession signs a reader in for a time; token is the cookie's value, of which only a hash is kept.
func (s *Store) AddSession(ctx context.Context, name, token string, lasts time.Duration) error {
	sum := sha256.Sum256([]byte(token))
	return s.transact(ctx, func(tx *sql.Tx) error {
		var id string
		if err := tx.QueryRow("UPDATE readers SET failed = 0 WHERE name = ? RETURNING id", name).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM sessions WHERE expires < ?", s.stamp()); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO sessions VALUES (?, ?, ?)", sum[:], id, s.now().Add(lasts).UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
		return s.note(tx, name, "signed in", name, "")
	})
}

// SignedIn is the reader of a cookie's value, or ErrNotFound when there is no such session or it has expired.
func (s *Store) SignedIn(ctx context.Context, token string) (Reader, error) {
	sum := sha256.Sum256([]byte(token))
	var id, expires string
	err := named(s.read.QueryRowContext(ctx, "SELECT reader, expires FROM sessions WHERE token = ?", sum[:]).Scan(&id, &expires))
	if err != nil {
		return Reader{}, err
	}
	if !s.now().Before(at(expires)) {
		return Reader{}, ErrNotFound
	}
	return scanReader(s.read.QueryRowContext(ctx, "SELECT "+readerColumns+" FROM readers WHERE id = ?", id))
}

// EndSession signs a reader out.
func (s *Store) EndSession(ctx context.Context, actor, token string) error {
	sum := sha256.Sum256([]byte(token))
	return s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM sessions WHERE token = ?", sum[:]); err != nil {
			return err
		}
		return s.note(tx, actor, "signed out", actor, "")
	})
}
