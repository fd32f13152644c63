package synth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// studyYAML runs the study on the cohort beside it.
const studyYAML = `# A synthetic cohort: see README.md. Every default that is not set here is written to plan.json of a run.
title: Synthetic two-centre breast ultrasound cohort (not data)
cohorts: [cohort.csv]
development: A # split 7:3 into training and internal test; centre B is the external test
synthetic: true # the report says so on its first line
outcome: {column: ki67, cutoff: 20, high: Ki-67 high, low: Ki-67 low} # high = above 20 %
clinical: {variables: [age, er, her2]} # of the clinical and the combined model
`

// readme says what the cohort is, what is planted in it and how strongly, so that nobody takes it for data.
func readme(c Config, s Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Synthetic cohort: not data

Every patient, image, mask and outcome in this folder was computed. Nothing here was measured on anybody, and no
result on it says anything about breast cancer, Ki-67, ultrasound or the devices that the columns name.
It exists to try the study's line from end to end, and to check that a planted signal is found, and not more than was planted.

%d patients (%d with Ki-67 above %g %%), seed %d. Centres: %s. Devices: %s. %d DFS events.
The same number of patients, seed and image size give the same files again.
`, s.Patients, s.High, Cutoff, c.Seed, counts(s.ByCentre), counts(s.ByDevice), s.Events)
	b.WriteString(readmeFiles)
	fmt.Fprintf(&b, readmeSignal, TumourVisibility, MarginVisibility, TumourLevelDB, TumourTextureLog, PosteriorDB,
		MarginHaloDB, MarginHaloLog, MarginRoughLog, HazardPerScore, hazardPerT, hazardPerN)
	b.WriteString(readmeImages)
	return b.String()
}

func counts(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

const readmeFiles = `
## Files

- cohort.csv: one row a patient. ki67 in percent; dfs_months and dfs_event (1 = recurrence or death) are empty for M1
  patients, who were never disease-free; pixel_mm is the side of a pixel.
- images/*.png: 8-bit grey. masks/*.nii.gz: the reader's contour, 0 and 1, as ITK-SNAP saves it. Equal base names.
- study.yaml: run it with "sonotype run study.yaml".

Counts of centre, Ki-67 group, T, N, M, EGFR, ER, HER2 and PR within each Ki-67 group are those of Cen et al.
(Sci Rep 2025, doi 10.1038/s41598-025-94741-4, Tables 1 and 2) scaled to this size; age, height, weight and BMI have
its means and SDs. How variables hang together beyond that (ER with PR, T with N and M, height with weight), the curve
of Ki-67 inside its groups, and all follow-up are invented.
`

const readmeSignal = `
## The planted signal

z is Ki-67's normal score. Two latent scores see it through noise; their noises are independent:

    tumour score = %[1]g z + noise     margin score = %[2]g z + noise     (both of SD 1)

They act on the image, per unit of score, on top of differences between patients that have nothing to do with Ki-67:

| sign | follows | strength |
|---|---|---|
| echogenicity inside the lesion | tumour | %+[3]g dB: darker |
| contrast of the texture inside | tumour | factor exp(%+[4]g) |
| loss of sound behind the lesion | tumour | %+[5]g dB: less shadow |
| brightness of the echogenic rim | margin | %+[6]g dB |
| width of the rim | margin | factor exp(%+[7]g) |
| irregularity of the contour | margin | factor exp(%+[8]g) |

Disease-free survival has proportional hazards: log hazard ratio %+[9]g per unit of z, %+[10]g per T stage, %+[11]g per
N stage. Images carry nothing else about Ki-67; the lesion's size follows the T stage, which Table 1 ties to Ki-67 only weakly.
`

const readmeImages = `
## How the images are made

Layers (skin, fat with septa, gland with ligaments, retromammary fat, muscle, ribs and pleura) and a lesion give each
cell a backscatter level, coherent reflectors and attenuation. Scatterers of random amplitude and phase are convolved
with a pulse along and a depth-dependent beam across the scan line (complex baseband), electronic noise is added, the
envelope is taken and averaged over the compounded angles, log-compressed to the device's dynamic range, interpolated
from lines to pixels, smoothed and sharpened as scanners do. Some images have burnt-in calipers. Devices are named
after what they resemble; they model no product.
`
