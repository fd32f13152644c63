package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A closed reader of the pickles that torch.save writes for a state dictionary (protocols 2 to 5).
//
// A pickle is a program for a stack machine that may name any function of Python. This reader knows the opcodes
// that build text, numbers, tuples, lists and dictionaries, and of functions only those that build a tensor or an
// ordered dictionary, each done by code of this package; everything else is an error. So a hostile file can run
// nothing, and since every opcode adds at most a small value, the limit on the pickle's length limits the memory.

// The opcodes that are understood (Lib/pickletools.py of CPython describes them).
const (
	opProto, opFrame, opStop                       = 0x80, 0x95, '.'
	opMark, opPop, opPopMark                       = '(', '0', '1'
	opNone, opTrue, opFalse                        = 'N', 0x88, 0x89
	opBinInt, opBinInt1, opBinInt2, opLong1        = 'J', 'K', 'M', 0x8a
	opBinFloat                                     = 'G'
	opBinUnicode, opShortUnicode                   = 'X', 0x8c
	opBinString, opShortString                     = 'T', 'U'
	opEmptyTuple, opTuple                          = ')', 't'
	opTuple1, opTuple2, opTuple3                   = 0x85, 0x86, 0x87
	opEmptyList, opAppend, opAppends               = ']', 'a', 'e'
	opEmptyDict, opSetItem, opSetItems             = '}', 's', 'u'
	opGlobal, opStackGlobal, opReduce              = 'c', 0x93, 'R'
	opBuild, opBinPersID                           = 'b', 'Q'
	opBinPut, opLongBinPut, opBinGet, opLongBinGet = 'q', 'r', 'h', 'j'
	opMemoize                                      = 0x94
)

// The values of a pickle, beside nil, bool, int64, float64 and string.
type (
	pyTuple []any
	pyList  struct{ items []any }
	pyDict  struct{ pairs []pyPair }
	pyPair  struct{ key, value any }
	pyClass string // "module.name" of an allowed class or function
	pyLong  string // little-endian bytes of an integer beyond int64
	pyMark  struct{}
)

// unpickler reads one pickle after another from r.
type unpickler struct {
	r          io.Reader
	left       int64 // bytes that all pickles of the file together may still take
	persistent func(id pyTuple) (any, error)
	stack      []any
	memo       map[uint32]any
}

func newUnpickler(r io.Reader, persistent func(pyTuple) (any, error)) *unpickler {
	return &unpickler{r: r, left: maxHeader, persistent: persistent}
}

// load runs one pickle to its STOP and returns its value.
func (u *unpickler) load() (any, error) {
	u.stack, u.memo = nil, map[uint32]any{}
	for {
		op, err := u.byte()
		if err != nil {
			return nil, err
		}
		if op == opStop {
			return u.pop()
		}
		if err := u.step(op); err != nil {
			return nil, err
		}
	}
}

// step runs one opcode.
func (u *unpickler) step(op byte) error {
	for _, group := range []func(byte) (bool, error){u.stepScalar, u.stepContainer, u.stepMemo, u.stepObject} {
		if done, err := group(op); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("pickle opcode 0x%02x is none of those that a state dictionary needs", op)
}

// stepScalar pushes numbers, text and constants.
func (u *unpickler) stepScalar(op byte) (bool, error) {
	switch op {
	case opProto:
		v, err := u.uint(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("pickle protocol %d is not known", v)
		}
		return true, err
	case opFrame: // frames only help a reader to buffer
		_, err := u.uint(8)
		return true, err
	case opNone:
		return true, u.push(nil)
	case opTrue, opFalse:
		return true, u.push(op == opTrue)
	case opBinInt:
		v, err := u.uint(4)
		return true, u.pushOr(int64(int32(uint32(v))), err)
	case opBinInt1:
		v, err := u.uint(1)
		return true, u.pushOr(int64(v), err)
	case opBinInt2:
		v, err := u.uint(2)
		return true, u.pushOr(int64(v), err)
	case opLong1:
		b, err := u.counted(1)
		return true, u.pushOr(decodeLong(b), err)
	case opBinFloat:
		b, err := u.bytes(8)
		if err != nil {
			return true, err
		}
		return true, u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case opBinUnicode, opBinString:
		b, err := u.counted(4)
		return true, u.pushOr(string(b), err)
	case opShortUnicode, opShortString:
		b, err := u.counted(1)
		return true, u.pushOr(string(b), err)
	}
	return false, nil
}

// decodeLong reads a little-endian two's complement integer.
func decodeLong(b []byte) any {
	if len(b) > 8 {
		return pyLong(b)
	}
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v |= ^uint64(0) << (8 * n)
	}
	return int64(v)
}

// stepContainer builds tuples, lists and dictionaries.
func (u *unpickler) stepContainer(op byte) (bool, error) {
	switch op {
	case opMark:
		return true, u.push(pyMark{})
	case opPop:
		_, err := u.pop()
		return true, err
	case opPopMark:
		_, err := u.popMark()
		return true, err
	case opEmptyTuple:
		return true, u.push(pyTuple(nil))
	case opTuple:
		items, err := u.popMark()
		return true, u.pushOr(pyTuple(items), err)
	case opTuple1, opTuple2, opTuple3:
		items, err := u.popN(int(op) - opTuple1 + 1)
		return true, u.pushOr(pyTuple(items), err)
	case opEmptyList:
		return true, u.push(&pyList{})
	case opAppend, opAppends:
		items, err := u.operands(op == opAppend, 1)
		if err != nil {
			return true, err
		}
		list, err := top[*pyList](u)
		if err == nil {
			list.items = append(list.items, items...)
		}
		return true, err
	case opEmptyDict:
		return true, u.push(&pyDict{})
	case opSetItem, opSetItems:
		items, err := u.operands(op == opSetItem, 2)
		if err != nil {
			return true, err
		}
		dict, err := top[*pyDict](u)
		if err == nil {
			err = dict.set(items)
		}
		return true, err
	}
	return false, nil
}

// set appends key, value, key, value, ...
func (d *pyDict) set(items []any) error {
	if len(items)%2 != 0 {
		return fmt.Errorf("a dictionary of the pickle has a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.pairs = append(d.pairs, pyPair{items[i], items[i+1]})
	}
	return nil
}

// stepMemo stores the top of the stack under a number, and fetches it again.
func (u *unpickler) stepMemo(op byte) (bool, error) {
	width := 1
	switch op {
	case opMemoize:
		return true, u.put(uint32(len(u.memo)))
	case opLongBinPut, opLongBinGet:
		width = 4
	case opBinPut, opBinGet:
	default:
		return false, nil
	}
	key, err := u.uint(width)
	if err != nil {
		return true, err
	}
	if op == opBinPut || op == opLongBinPut {
		return true, u.put(uint32(key))
	}
	v, ok := u.memo[uint32(key)]
	if !ok {
		return true, fmt.Errorf("the pickle asks for memo %d, which it never stored", key)
	}
	return true, u.push(v)
}

func (u *unpickler) put(key uint32) error {
	if len(u.stack) == 0 {
		return errStack
	}
	u.memo[key] = u.stack[len(u.stack)-1]
	return nil
}
