package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// wireMessage is a decoded protocol-buffers message: by field number, the values in order of appearance.
type wireMessage struct {
	integers map[int][]int
	floats   map[int][]float32
	bytes    map[int][][]byte
}

// readWire decodes b with nothing from the writer.
func readWire(t *testing.T, b []byte) wireMessage {
	t.Helper()
	m := wireMessage{map[int][]int{}, map[int][]float32{}, map[int][][]byte{}}
	take := func() int {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatalf("no varint in %x", b[:min(len(b), 16)])
		}
		b = b[n:]
		return int(v)
	}
	for len(b) > 0 {
		tag := take()
		field := tag >> 3
		switch tag & 7 {
		case 0:
			m.integers[field] = append(m.integers[field], take())
		case 2:
			n := take()
			if n > len(b) {
				t.Fatalf("field %d asks for %d of %d bytes", field, n, len(b))
			}
			m.bytes[field] = append(m.bytes[field], b[:n])
			b = b[n:]
		case 5:
			m.floats[field] = append(m.floats[field], math.Float32frombits(binary.LittleEndian.Uint32(b)))
			b = b[4:]
		default:
			t.Fatalf("field %d of wire type %d", field, tag&7)
		}
	}
	return m
}

// text is the only value of a field, as text.
func (m wireMessage) text(t *testing.T, field int) string {
	t.Helper()
	if len(m.bytes[field]) != 1 {
		t.Fatalf("field %d stands %d times", field, len(m.bytes[field]))
	}
	return string(m.bytes[field][0])
}

func (m wireMessage) texts(field int) []string {
	var out []string
	for _, b := range m.bytes[field] {
		out = append(out, string(b))
	}
	return out
}

func (m wireMessage) messages(t *testing.T, field int) []wireMessage {
	t.Helper()
	var out []wireMessage
	for _, b := range m.bytes[field] {
		out = append(out, readWire(t, b))
	}
	return out
}

// The bytes are those of the examples in protocol buffers' encoding guide: a varint of two bytes, a string, and a
// message within a message; and values that are streamed count in every length around them.
func TestWireFormat(t *testing.T) {
	var inner, middle, outer message
	inner.integer(1, 150)
	inner.texts(2, "testing")
	inner.floats(3, []float32{1, -2})
	inner.floats(4, nil)
	middle.message(3, &inner)
	middle.float(5, 0.5)
	outer.message(3, &middle)
	outer.integers(6, 3, 270)
	want := slices.Concat(
		[]byte{0x1a, 33}, []byte{0x1a, 26},
		[]byte{0x08, 0x96, 0x01}, []byte{0x12, 0x07}, []byte("testing"),
		[]byte{0x1a, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []byte{0x22, 0},
		[]byte{0x2d, 0, 0, 0, 0x3f}, []byte{0x30, 3, 0x30, 0x8e, 0x02})
	want[1], want[3] = byte(2+24+5), 24
	var got bytes.Buffer
	if err := outer.writeTo(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) || outer.size != len(want) {
		t.Errorf("size %d\n got %x\nwant %x", outer.size, got.Bytes(), want)
	}
}
