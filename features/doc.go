// Package features turns prepared images into rows of deep features and keeps them in memory-mapped files.
//
// # The file
//
// A feature file is NumPy's .npy, version 1.0, and nothing more: numpy.load(path, mmap_mode="r") opens it.
//
//	bytes 0-5    0x93 "NUMPY"
//	bytes 6-7    1, 0: the version
//	bytes 8-9    the length of the header, little-endian
//	header       {'descr': '<f4', 'fortran_order': False, 'shape': (n, p), } padded with spaces to a newline, so that
//	             the data begin at a multiple of 64
//	data         n rows of p little-endian float32, row after row
//
// Row i belongs to row i of the table that the caller keeps beside it (rows.csv in a study). Column j is, for the
// tap "features", channel j/(h*w), line j/w mod h, column j mod w of the network's last feature map, and for the tap
// "avgpool" channel j. The writer makes the file under another name and renames it when it is whole, so a file with
// the right name is complete and never changes; the reader relies on that, since a mapped file that shrinks would
// stop the program.
package features
