package weights

import (
	"encoding/binary"
	"io"
	"math"
)

// message is a protocol-buffers message under construction (protobuf.dev/programming-guides/encoding). Tensors stay
// where they are until writeTo, so that a model costs no memory of its own. Fields stand in the order of the calls.
type message struct {
	parts []messagePart
	size  int // bytes of all parts
}

// messagePart is encoded bytes, or else values to be written as little-endian float32.
type messagePart struct {
	bytes  []byte
	floats []float32
}

// Wire types of protocol buffers.
const (
	wireVarint = 0
	wireBytes  = 2
	wireFixed4 = 5
)

func (m *message) append(b ...byte) {
	if len(m.parts) == 0 || m.parts[len(m.parts)-1].floats != nil {
		m.parts = append(m.parts, messagePart{})
	}
	last := &m.parts[len(m.parts)-1]
	last.bytes = append(last.bytes, b...)
	m.size += len(b)
}

func (m *message) tag(field, wire int) {
	m.append(binary.AppendUvarint(nil, uint64(field<<3|wire))...)
}

// integer adds an integer that is not negative.
func (m *message) integer(field, v int) {
	m.tag(field, wireVarint)
	m.append(binary.AppendUvarint(nil, uint64(v))...)
}

// integers adds a repeated integer, unpacked as in ONNX's proto2 schema.
func (m *message) integers(field int, vs ...int) {
	for _, v := range vs {
		m.integer(field, v)
	}
}

func (m *message) float(field int, v float32) {
	m.tag(field, wireFixed4)
	m.append(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))...)
}

// length starts a field of n bytes.
func (m *message) length(field, n int) {
	m.tag(field, wireBytes)
	m.append(binary.AppendUvarint(nil, uint64(n))...)
}

// texts adds a repeated string.
func (m *message) texts(field int, vs ...string) {
	for _, v := range vs {
		m.length(field, len(v))
		m.append([]byte(v)...)
	}
}

// floats adds bytes that hold x; m keeps x.
func (m *message) floats(field int, x []float32) {
	m.length(field, 4*len(x))
	if len(x) > 0 {
		m.parts = append(m.parts, messagePart{floats: x})
		m.size += 4 * len(x)
	}
}

// message adds a finished sub-message.
func (m *message) message(field int, sub *message) {
	m.length(field, sub.size)
	for _, p := range sub.parts {
		if p.floats != nil {
			m.parts = append(m.parts, p)
			m.size += 4 * len(p.floats)
			continue
		}
		m.append(p.bytes...)
	}
}

func (m *message) writeTo(w io.Writer) error {
	for _, p := range m.parts {
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		if err := writeFloats(w, p.floats); err != nil {
			return err
		}
	}
	return nil
}
