package store

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"sonotype/internal/problem"
)

// Vault hides patients' identifiers before they reach the disk: with a keyed hash from which nobody reads them back, or
// encrypted, so that readers still see them.
type Vault struct {
	key  [32]byte
	seal cipher.AEAD
	keep bool // identifiers are sealed, else replaced by pseudonyms
}

// OpenVault reads the key file, 64 hexadecimal digits, and makes one where there is none. keep encrypts identifiers
// (XChaCha20-Poly1305) instead of replacing them by pseudonyms (HMAC-SHA-256).
func OpenVault(keyFile string, keep bool) (*Vault, error) {
	b, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = newKey(keyFile)
	}
	if err != nil {
		return nil, &problem.Error{What: "cannot read the key file", File: keyFile, Err: err}
	}
	v := &Vault{keep: keep}
	key, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(key) != len(v.key) {
		return nil, &problem.Error{What: "the key file holds no key", File: keyFile, Expected: "64 hexadecimal digits",
			Try: "give the key file that the database was made with; without it identifiers cannot be read"}
	}
	copy(v.key[:], key)
	v.seal, err = chacha20poly1305.NewX(v.derive("seal"))
	return v, err
}

// newKey writes a new key that only its owner can read.
func newKey(path string) ([]byte, error) {
	var key [32]byte
	rand.Read(key[:]) // never fails
	text := []byte(hex.EncodeToString(key[:]) + "\n")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}

// derive is a key of its own for each use.
func (v *Vault) derive(use string) []byte {
	h := hmac.New(sha256.New, v.key[:])
	h.Write([]byte("sonotype " + use))
	return h.Sum(nil)
}

// pseudonym is the number of bytes of a pseudonym.
const pseudonym = 8

// hide gives what is stored for an identifier of the case id; the empty identifier stays empty.
func (v *Vault) hide(patient, id string) []byte {
	if patient == "" {
		return []byte{}
	}
	if !v.keep {
		h := hmac.New(sha256.New, v.derive("pseudonym"))
		h.Write([]byte(patient))
		return []byte("P-" + hex.EncodeToString(h.Sum(nil)[:pseudonym]))
	}
	nonce := make([]byte, v.seal.NonceSize())
	rand.Read(nonce) // never fails
	return v.seal.Seal(nonce, nonce, []byte(patient), []byte(id))
}

// show gives the identifier, or the pseudonym, of what hide gave, whichever of the two the vault was opened for then.
func (v *Vault) show(stored []byte, id string) (string, error) {
	if len(stored) == 0 || len(stored) == len("P-")+2*pseudonym { // shorter than anything sealed
		return string(stored), nil
	}
	if n := v.seal.NonceSize(); len(stored) > n {
		if plain, err := v.seal.Open(nil, stored[:n], stored[n:], []byte(id)); err == nil {
			return string(plain), nil
		}
	}
	return "", &problem.Error{What: "a patient's identifier cannot be read", Found: "case " + id,
		Try: "start the server with the key file that the database was made with"}
}
