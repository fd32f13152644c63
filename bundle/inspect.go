package bundle

import "encoding/hex"

// Inspection is what a bundle's file says of itself.
type Inspection struct {
	Hash      string     `json:"bundle"` // Bundle.Hash
	Format    int        `json:"format"`
	Size      int64      `json:"size"` // of the file, bytes
	Signature *Signature `json:"signature"`
	Card      Card       `json:"card"`
	Manifest  Manifest   `json:"manifest"`
	Entries   []Entry    `json:"entries"`
}

// Inspect reads a bundle's file and verifies the hash of every entry and its signature, whoever made it. The model is not
// loaded and the test vectors are not computed: Open does that.
func Inspect(path string) (*Inspection, error) {
	a, f, err := openArchive(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	i := &Inspection{Hash: hex.EncodeToString(a.hash[:]), Format: formatVersion, Size: a.end, Signature: a.signature, Entries: a.entries}
	if a.signature != nil {
		i.Size += signatureSize
	}
	if err := a.verify(nil); err != nil {
		return nil, unverified(path, err)
	}
	if err := a.readJSON(CardEntry, &i.Card); err != nil {
		return nil, unverified(path, err)
	}
	i.Manifest, err = readManifest(a, ManifestEntry)
	return i, unverified(path, err)
}
