package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"sonotype/internal/problem"
)

// Entry is a line of the audit log. It names cases by their id, never patients.
type Entry struct {
	Seq     int64  `json:"seq"`
	Time    string `json:"time"`
	Actor   string `json:"actor"`
	Action  string `json:"action"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
	Hash    string `json:"hash"`
}

// chain is the hash of an entry after the hash before it.
func (e Entry) chain(before string) string {
	e.Hash = before
	b, err := json.Marshal(e)
	if err != nil {
		return "" // strings and a number: cannot happen
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// note adds an entry within a change.
func (s *Store) note(tx *sql.Tx, actor, action, subject, detail string) error {
	var last Entry
	err := tx.QueryRow("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").Scan(&last.Seq, &last.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	e := Entry{Seq: last.Seq + 1, Time: s.stamp(), Actor: actor, Action: action, Subject: subject, Detail: detail}
	_, err = tx.Exec("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", e.Seq, e.Time, e.Actor, e.Action, e.Subject, e.Detail, e.chain(last.Hash))
	return err
}

// Note adds an entry of its own, for what changes nothing else.
func (s *Store) Note(ctx context.Context, actor, action, subject, detail string) error {
	return s.transact(ctx, func(tx *sql.Tx) error { return s.note(tx, actor, action, subject, detail) })
}

// Audit lists entries before seq (0: the newest), newest first.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return list(ctx, s.read, scanEntry, "SELECT seq, time, actor, action, subject, detail, hash FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
}

func scanEntry(row row) (e Entry, err error) {
	err = row.Scan(&e.Seq, &e.Time, &e.Actor, &e.Action, &e.Subject, &e.Detail, &e.Hash)
	return e, err
}

// VerifyAudit follows the chain from the first entry; the error names the first entry that does not fit. It returns the
// number of entries and the last hash, which, kept elsewhere, also betrays a log cut at its end.
func (s *Store) VerifyAudit(ctx context.Context) (n int64, last string, err error) {
	rows, err := s.read.QueryContext(ctx, "SELECT seq, time, actor, action, subject, detail, hash FROM audit ORDER BY seq")
	if err != nil {
		return 0, "", named(err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return n, last, err
		}
		if e.Seq != n+1 || e.chain(last) != e.Hash {
			return n, last, &problem.Error{What: "the audit log was changed", Found: fmt.Sprintf("entry %d does not follow from the one before it", e.Seq)}
		}
		n, last = e.Seq, e.Hash
	}
	return n, last, named(rows.Err())
}
