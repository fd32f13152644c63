package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var errStack = errors.New("the pickle takes more from its stack than it put there")

func (u *unpickler) push(v any) error {
	u.stack = append(u.stack, v)
	return nil
}

func (u *unpickler) pushOr(v any, err error) error {
	if err != nil {
		return err
	}
	return u.push(v)
}

func (u *unpickler) pop() (any, error) {
	v, err := u.popN(1)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// popN takes n values, none of them a mark; the result is the caller's own.
func (u *unpickler) popN(n int) ([]any, error) {
	at := len(u.stack) - n
	if at < 0 {
		return nil, errStack
	}
	items := append([]any(nil), u.stack[at:]...)
	for _, v := range items {
		if _, mark := v.(pyMark); mark {
			return nil, errStack
		}
	}
	u.stack = u.stack[:at]
	return items, nil
}

// popMark takes what lies above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, mark := u.stack[i].(pyMark); mark {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errStack
}

// operands takes n values, or all above the last mark.
func (u *unpickler) operands(single bool, n int) ([]any, error) {
	if single {
		return u.popN(n)
	}
	return u.popMark()
}

// top is the value on top of the stack, which must be a T.
func top[T any](u *unpickler) (T, error) {
	var zero T
	if len(u.stack) == 0 {
		return zero, errStack
	}
	v, ok := u.stack[len(u.stack)-1].(T)
	if !ok {
		return zero, fmt.Errorf("the pickle adds to a %T, which holds no items", u.stack[len(u.stack)-1])
	}
	return v, nil
}

func (u *unpickler) byte() (byte, error) {
	v, err := u.uint(1)
	return byte(v), err
}

// uint reads a little-endian unsigned integer of width bytes.
func (u *unpickler) uint(width int) (uint64, error) {
	var b [8]byte
	if err := u.read(b[:width]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// counted reads a length of width bytes and then as many bytes.
func (u *unpickler) counted(width int) ([]byte, error) {
	n, err := u.uint(width)
	if err != nil {
		return nil, err
	}
	return u.bytes(n)
}

func (u *unpickler) bytes(n uint64) ([]byte, error) {
	if n > uint64(u.left) { // before the allocation
		return nil, tooLarge("pickle", maxHeader+int64(min(n, maxFile)), maxHeader, "bytes")
	}
	b := make([]byte, n)
	return b, u.read(b)
}

// line reads to the next newline, which is dropped.
func (u *unpickler) line() (string, error) {
	var b []byte
	for len(b) < 256 {
		c, err := u.byte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(b), nil
		}
		b = append(b, c)
	}
	return "", fmt.Errorf("the pickle names a class of more than 255 characters")
}

func (u *unpickler) read(b []byte) error {
	if u.left -= int64(len(b)); u.left < 0 {
		return tooLarge("pickle", maxHeader-u.left, maxHeader, "bytes")
	}
	if _, err := io.ReadFull(u.r, b); err != nil {
		return fmt.Errorf("the pickle is cut short: %w", noEOF(err))
	}
	return nil
}

// noEOF makes an end of file within a value an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
