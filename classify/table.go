package classify

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// table is a matrix whose JSON form is {"rows", "columns", "data"}: data is the base64 of the numbers, row by row,
// as little-endian float64. It is exact and a third of the size of decimal digits.
type table struct{ *mat.Dense }

type tableJSON struct {
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Data    string `json:"data"`
}

// MarshalJSON writes the matrix; nil and empty ones have no rows.
func (t table) MarshalJSON() ([]byte, error) {
	n, p := dims(t.Dense)
	b := make([]byte, 0, 8*n*p)
	for i := range n {
		for _, v := range t.RawRowView(i) {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return json.Marshal(tableJSON{n, p, base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *table) UnmarshalJSON(b []byte) error {
	var in tableJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil {
		return err
	}
	if in.Rows < 0 || in.Columns < 0 || in.Rows > 1<<30 || in.Columns > 1<<30 || len(data) != 8*in.Rows*in.Columns {
		return &problem.Error{What: "damaged table in a model", Expected: fmt.Sprintf("%d x %d numbers", in.Rows, in.Columns),
			Found: fmt.Sprintf("%d bytes", len(data))}
	}
	if len(data) == 0 {
		t.Dense = nil
		return nil
	}
	v := make([]float64, in.Rows*in.Columns)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	t.Dense = mat.NewDense(in.Rows, in.Columns, v)
	return checkFinite(t.Dense)
}

// squaredDistance is the sum of (a-b)².
func squaredDistance(a, b []float64) (sum float64) {
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return sum
}

// goroutines turns a worker count into a limit for an errgroup.
func goroutines(workers int) int { return cmp.Or(max(workers, 0), runtime.GOMAXPROCS(0)) }
