package bundle

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// The signature's block at the end of a bundle: magic, public key, signature.
const (
	signatureMagic = "SONOSIG1"
	signatureSize  = int64(len(signatureMagic) + ed25519.PublicKeySize + ed25519.SignatureSize)
)

// signedPrefix keeps a bundle's signature from being one of anything else.
const signedPrefix = "sonotype bundle\n"

// Signature says who signed a bundle.
type Signature struct {
	Key   ed25519.PublicKey `json:"-"`
	KeyID string            `json:"key_id"` // Fingerprint of Key
}

// Fingerprint is the SHA-256 of a public key, in hex.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

func signedMessage(hash [sha256.Size]byte) []byte { return append([]byte(signedPrefix), hash[:]...) }

// parseSignature reads and verifies a signature's block.
func parseSignature(block []byte, hash [sha256.Size]byte) (*Signature, error) {
	head, rest := block[:len(signatureMagic)], block[len(signatureMagic):]
	key, sig := ed25519.PublicKey(rest[:ed25519.PublicKeySize]), rest[ed25519.PublicKeySize:]
	if string(head) != signatureMagic || !ed25519.Verify(key, signedMessage(hash), sig) {
		return nil, &problem.Error{What: "the bundle's signature is not valid", Expected: "the signature of this bundle by the key that stands in it"}
	}
	return &Signature{key, Fingerprint(key)}, nil
}

// trustedBy refuses a bundle that none of the keys has signed; without keys every bundle passes.
func (a *archive) trustedBy(keys []ed25519.PublicKey) error {
	if len(keys) == 0 {
		return nil
	}
	want := "a signature by a trusted key: "
	for i, k := range keys {
		if i > 0 {
			want += " or "
		}
		want += Fingerprint(k)
	}
	if a.signature == nil {
		return &problem.Error{What: "the bundle is not signed", Expected: want, Found: "no signature", Try: "get a signed copy, or sign it with `sonotype bundle sign`"}
	}
	if !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return k.Equal(a.signature.Key) }) {
		return &problem.Error{What: "the bundle is signed by a key that is not trusted", Expected: want, Found: a.signature.KeyID, Try: "ask who made the bundle for the public key"}
	}
	return nil
}

// Sign writes the bundle of a file with a signature, in place of one that it may have, to another file or the same. The
// bundle's entries are verified first; its hash does not change.
func Sign(to, from string, key ed25519.PrivateKey) (*Signature, error) {
	a, f, err := openArchive(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := a.verify(nil); err != nil {
		return nil, unverified(from, err)
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("not an Ed25519 key")
	}
	block := slices.Concat([]byte(signatureMagic), public, ed25519.Sign(key, signedMessage(a.hash)))
	err = artifact.Write(to, func(w io.Writer) error {
		if _, err := io.Copy(w, io.NewSectionReader(f, 0, a.end)); err != nil {
			return err
		}
		_, err := w.Write(block)
		return err
	})
	if err != nil {
		return nil, &problem.Error{What: "cannot write the signed bundle", File: to, Err: err}
	}
	return &Signature{public, Fingerprint(public)}, nil
}

// The PEM types of keys, as OpenSSL writes them.
const (
	pemPrivate = "PRIVATE KEY" // PKCS #8
	pemPublic  = "PUBLIC KEY"  // SubjectPublicKeyInfo
)

// WriteKeys makes a pair of keys and writes the private one to a file that only its owner can read, the public one to
// another. Neither file may exist.
func WriteKeys(private, public string) (ed25519.PublicKey, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	p, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, err
	}
	q, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	if err := writeKey(public, 0o644, pemPublic, q); err != nil {
		return nil, err
	}
	if err := writeKey(private, 0o600, pemPrivate, p); err != nil {
		return nil, errors.Join(err, os.Remove(public))
	}
	return pub, nil
}

func writeKey(file string, mode os.FileMode, kind string, der []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return &problem.Error{What: "cannot write the key", File: file, Err: err, Try: "choose another name; a key is never written over"}
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// ReadPrivateKey reads an Ed25519 key that WriteKeys or OpenSSL wrote.
func ReadPrivateKey(file string) (ed25519.PrivateKey, error) {
	return readKey[ed25519.PrivateKey](file, pemPrivate, x509.ParsePKCS8PrivateKey)
}

// ReadPublicKey reads an Ed25519 key that WriteKeys or OpenSSL wrote.
func ReadPublicKey(file string) (ed25519.PublicKey, error) {
	return readKey[ed25519.PublicKey](file, pemPublic, x509.ParsePKIXPublicKey)
}

func readKey[K any](file, kind string, parse func([]byte) (any, error)) (K, error) {
	var none K
	b, err := os.ReadFile(file)
	if err != nil {
		return none, &problem.Error{What: "cannot read the key", File: file, Err: err, Try: "`sonotype bundle keygen` makes a pair of keys"}
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return none, &problem.Error{What: "the file holds no key of this kind", File: file, Expected: fmt.Sprintf("PEM, %q", kind)}
	}
	key, err := parse(block.Bytes)
	if err != nil {
		return none, &problem.Error{What: "the key is damaged", File: file, Err: err}
	}
	k, ok := key.(K)
	if !ok {
		return none, &problem.Error{What: "the key is of another kind", File: file, Expected: "Ed25519", Found: fmt.Sprintf("%T", key)}
	}
	return k, nil
}
