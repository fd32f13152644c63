package golden

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
)

// Table reads a CSV file of numbers without a header: n rows of p features and, last, a 0/1 label.
func Table(t testing.TB, path string) (rows [][]float64, labels []int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		row := make([]float64, len(record))
		for j, cell := range record {
			if row[j], err = strconv.ParseFloat(cell, 64); err != nil {
				t.Fatal(err)
			}
		}
		last := len(row) - 1
		rows, labels = append(rows, row[:last]), append(labels, int(row[last]))
	}
	return rows, labels
}
