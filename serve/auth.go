package serve

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"sonotype/internal/problem"
	"sonotype/serve/store"
)

// argon2id with the parameters that OWASP's password sheet lists first: 19 MiB, 2 passes, 1 lane.
const (
	argonMemory = 19 << 10 // KiB
	argonPasses = 2
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

const (
	shortestPassword = 12
	longestPassword  = 256
	attempts         = 5 // failed in a row before the account is locked
	lockedFor        = 15 * time.Minute
	sessionLasts     = 12 * time.Hour
)

var passwordText = base64.RawStdEncoding

// HashPassword gives a password's argon2id hash as a PHC string.
func HashPassword(password string) (string, error) {
	if len(password) < shortestPassword || len(password) > longestPassword {
		return "", Rejected(&problem.Error{What: "the password is too short or too long",
			Expected: fmt.Sprintf("%d to %d characters", shortestPassword, longestPassword), Found: fmt.Sprintf("%d", len(password))})
	}
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		passwordText.EncodeToString(salt), passwordText.EncodeToString(key)), nil
}

// checkPassword reports whether a password is that of a PHC string that HashPassword made.
func checkPassword(password, phc string) bool {
	var version, memory, passes, lanes int
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, errSalt := passwordText.DecodeString(parts[4])
	want, errKey := passwordText.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(want) != argonKey || memory > 1<<20 || passes < 1 || passes > 10 || lanes < 1 || lanes > 16 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), argonKey)
	return subtle.ConstantTimeCompare(got, want) == 1
}

// hashing is how many passwords are checked at once: each takes 19 MiB and a core.
const hashing = 4

// unknownReader is checked where there is no such reader, so that the time taken does not tell.
const unknownReader = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var errSignIn = errors.New("the name or the password is wrong, or the account is locked")

// signIn checks a reader's password and starts a session.
func (s *Service) signIn(ctx context.Context, name, password string) (token string, err error) {
	err = s.hashing.do(ctx, func() error {
		token, err = s.session(ctx, name, password)
		return err
	})
	return token, err
}

// session starts one for who knows the password.
func (s *Service) session(ctx context.Context, name, password string) (token string, err error) {
	r, err := s.store.Reader(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		checkPassword(password, unknownReader)
		if err := s.store.Note(ctx, "", "sign-in failed", "", "no such reader"); err != nil { // takes the time of Failed
			return "", err
		}
		return "", errSignIn
	}
	if err != nil {
		return "", err
	}
	if !checkPassword(password, r.Password) {
		if err := s.store.Failed(ctx, name, attempts, lockedFor); err != nil {
			return "", err
		}
		return "", errSignIn
	}
	if time.Now().Before(r.Locked) {
		return "", errSignIn
	}
	token = secret()
	return token, s.store.AddSession(ctx, name, token, sessionLasts)
}

// secret is 256 random bits.
func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
