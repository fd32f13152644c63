package weights

import (
	"fmt"
	"strings"

	"sonotype/internal/problem"
)

// rootStorage is one block of numbers in the file.
type rootStorage struct {
	key   string
	dtype dtype
	count int64 // values
}

// storageRef is a storage, or a part of one, as a pickle refers to it.
type storageRef struct {
	root        *rootStorage
	base, count int64 // values of root from base on
}

// tensorRef is a tensor whose values still lie in the file.
type tensorRef struct {
	storage *rootStorage
	offset  int64 // of the first value, in values of storage
	shape   []int64
	stride  []int64
	count   int64 // values of the tensor
	span    int64 // values of storage from the first to the last used
}

const classOrderedDict = "collections.OrderedDict"

// allowedClass reports whether the reader knows what to do with a Python class or function.
func allowedClass(class string) bool {
	switch class {
	case classOrderedDict, "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor", "torch._utils._rebuild_parameter":
		return true
	}
	_, ok := storageDType(class)
	return ok
}

// stepObject handles classes, calls and storages.
func (u *unpickler) stepObject(op byte) (bool, error) {
	switch op {
	case opGlobal:
		module, err := u.line()
		if err != nil {
			return true, err
		}
		name, err := u.line()
		if err != nil {
			return true, err
		}
		return true, u.class(module, name)
	case opStackGlobal:
		names, err := u.popN(2)
		if err != nil {
			return true, err
		}
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok1 || !ok2 {
			return true, fmt.Errorf("the pickle names a class by something that is not text")
		}
		return true, u.class(module, name)
	case opReduce:
		v, err := u.popN(2)
		if err != nil {
			return true, err
		}
		x, err := call(v[0], v[1])
		return true, u.pushOr(x, err)
	case opBuild: // OrderedDict._metadata: versions of the modules, not needed
		if _, err := u.pop(); err != nil {
			return true, err
		}
		_, err := top[*pyDict](u)
		return true, err
	case opBinPersID:
		v, err := u.pop()
		if err != nil {
			return true, err
		}
		id, ok := v.(pyTuple)
		if !ok || u.persistent == nil {
			return true, fmt.Errorf("the pickle refers to an outside object where none can be")
		}
		x, err := u.persistent(id)
		return true, u.pushOr(x, err)
	}
	return false, nil
}

func (u *unpickler) class(module, name string) error {
	class := module + "." + name
	if allowedClass(class) {
		return u.push(pyClass(class))
	}
	try := "save the plain parameters: torch.save(model.state_dict(), FILE)"
	if !strings.HasPrefix(module, "torch") {
		try = "do not open this file with PyTorch unless you trust its maker; " + try
	}
	return &problem.Error{
		What:     "the pickle asks for a Python class or function that a state dictionary does not need; nothing was run",
		Expected: "tensors and dictionaries only",
		Found:    fmt.Sprintf("%.200q", class),
		Try:      try,
	}
}

// call does what the allowed functions do.
func call(fn, args any) (any, error) {
	class, ok := fn.(pyClass)
	a, ok2 := args.(pyTuple)
	if !ok || !ok2 {
		return nil, fmt.Errorf("the pickle calls a %T", fn)
	}
	switch class {
	case classOrderedDict:
		return orderedDict(a)
	case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
		return rebuildTensor(a)
	case "torch._utils._rebuild_parameter":
		if len(a) > 0 {
			if t, ok := a[0].(*tensorRef); ok {
				return t, nil
			}
		}
	}
	return nil, fmt.Errorf("the pickle calls %s with arguments that do not fit", class)
}

// orderedDict is OrderedDict() or, as Python 2 pickles it, OrderedDict([[key, value], ...]).
func orderedDict(args pyTuple) (*pyDict, error) {
	d := &pyDict{}
	if len(args) == 0 {
		return d, nil
	}
	list, ok := args[0].(*pyList)
	if !ok || len(args) > 1 {
		return nil, fmt.Errorf("the pickle makes an OrderedDict from a %T", args[0])
	}
	for _, item := range list.items {
		kv, ok := item.(*pyList)
		if !ok || len(kv.items) != 2 {
			return nil, fmt.Errorf("the pickle makes an OrderedDict from items that are not pairs")
		}
		d.pairs = append(d.pairs, pyPair{kv.items[0], kv.items[1]})
	}
	return d, nil
}

// rebuildTensor takes (storage, offset, size, stride, ...): torch/_utils.py.
func rebuildTensor(args pyTuple) (*tensorRef, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor of the pickle has %d parts instead of at least 4", len(args))
	}
	s, ok := args[0].(*storageRef)
	offset, ok2 := args[1].(int64)
	shape, ok3 := intTuple(args[2])
	stride, ok4 := intTuple(args[3])
	if !ok || !ok2 || !ok3 || !ok4 || len(shape) != len(stride) {
		return nil, fmt.Errorf("a tensor of the pickle is not made of a storage, an offset, a size and a stride")
	}
	n, err := elements(shape)
	if err != nil {
		return nil, err
	}
	t := &tensorRef{storage: s.root, offset: s.base + offset, shape: shape, stride: stride, count: n}
	if n > 0 {
		t.span = 1
	}
	for i, st := range stride {
		if st < 0 || st > maxElements {
			return nil, fmt.Errorf("a tensor of the pickle has the stride %d", st)
		}
		if n > 0 {
			t.span += (shape[i] - 1) * st
		}
	}
	if offset < 0 || offset > s.count || t.span > s.count-offset {
		return nil, &problem.Error{
			What:     "a tensor of the pickle reaches outside its storage",
			Expected: fmt.Sprintf("values within 0 to %d", s.count),
			Found:    fmt.Sprintf("%d values from %d on", t.span, offset),
		}
	}
	return t, nil
}

func intTuple(v any) ([]int64, bool) {
	items, ok := v.(pyTuple)
	out := make([]int64, len(items))
	for i, x := range items {
		n, isInt := x.(int64)
		ok = ok && isInt
		out[i] = n
	}
	return out, ok
}

// storageTable makes the storages that the persistent ids of a file name.
type storageTable map[string]*rootStorage

// persistent takes ("storage", class, key, location, count) and, in legacy files, a sixth part: nothing or
// (view key, offset, count). The location (cpu, cuda:0) does not matter here.
func (s storageTable) persistent(id pyTuple) (any, error) {
	if len(id) < 5 || id[0] != "storage" {
		return nil, fmt.Errorf("the pickle refers to an outside object that is not a storage")
	}
	class, ok := id[1].(pyClass)
	key, ok2 := id[2].(string)
	count, ok3 := id[4].(int64)
	d, ok4 := storageDType(string(class))
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("the pickle describes a storage in a way that is not known")
	}
	if count < 0 || count > maxStorage/d.size {
		return nil, tooLarge("storage", count, maxStorage/d.size, "values")
	}
	root, ok := s[key]
	if !ok {
		root = &rootStorage{key: key, dtype: d, count: count}
		s[key] = root
	}
	if root.dtype != d || root.count != count {
		return nil, fmt.Errorf("the pickle describes the storage %.50q in two ways", key)
	}
	ref := &storageRef{root: root, count: count}
	if len(id) < 6 || id[5] == nil {
		return ref, nil
	}
	view, ok := id[5].(pyTuple)
	if !ok || len(view) != 3 {
		return nil, fmt.Errorf("the pickle describes a part of a storage in a way that is not known")
	}
	base, ok := view[1].(int64)
	n, ok2 := view[2].(int64)
	if !ok || !ok2 || base < 0 || n < 0 || base > count || n > count-base {
		return nil, fmt.Errorf("a part of the storage %.50q lies outside it", key)
	}
	ref.base, ref.count = base, n
	return ref, nil
}
