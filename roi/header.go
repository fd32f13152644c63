package roi

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// textHeader reads lines, without their ends, up to the first for which last is true; that line
// is the last of the result unless it is empty. A file may also end after its header.
func textHeader(br *bufio.Reader, last func(string) bool) ([]string, error) {
	var lines []string
	left := maxHeader
	for {
		line, err := limitedLine(br, &left)
		if err == io.EOF && len(lines) > 0 {
			if line != "" {
				lines = append(lines, line)
			}
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		if line != "" {
			lines = append(lines, line)
		}
		if last(line) && len(lines) > 0 {
			return lines, nil
		}
	}
}

// limitedLine reads one line and takes its length off left.
func limitedLine(br *bufio.Reader, left *int) (string, error) {
	var b []byte
	for {
		part, err := br.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return "", fmt.Errorf("a header of more than %d KB", maxHeader>>10)
		}
		b = append(b, part...)
		if err == bufio.ErrBufferFull {
			continue
		}
		return strings.TrimRight(string(b), "\r\n"), err
	}
}

// skipLine drops the rest of a line.
func skipLine(br *bufio.Reader) error {
	left := maxHeader
	_, err := limitedLine(br, &left)
	return err
}

// optionalInt reads an integer in lo..hi; "" is 0.
func optionalInt(s string, lo, hi int) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("%q in the header is no integer from %d to %d", s, lo, hi)
	}
	return n, nil
}
