package synth

import (
	"math"
	"math/rand/v2"

	"sonotype/internal/rng"
)

// Everything that ties the images to Ki-67 stands in this file; README.md of a cohort prints these numbers.
//
// Two latent scores, of mean 0 and SD 1 over the cohort, see Ki-67 through noise:
//
//	tumour = TumourVisibility*z + sqrt(1-TumourVisibility²)*noise,  z = normal score of Ki-67
//	margin = MarginVisibility*z + sqrt(1-MarginVisibility²)*noise,  the two noises independent
//
// and set the lesion's inside and its rim. A visibility below 1 caps what any reader of the images can reach.
const (
	TumourVisibility = 0.68 // correlation of the tumour score with Ki-67's normal score
	MarginVisibility = 0.54 // the same for the margin score
)

// Strengths of the planted signs, per unit of the latent score.
const (
	TumourLevelDB    = -3.6 // inside echogenicity: the higher the score, the darker
	TumourTextureLog = 0.50 // log of the contrast (dB) of the inside texture: the higher, the coarser in contrast
	MarginHaloDB     = 4.2  // brightness of the echogenic rim
	MarginHaloLog    = 0.12 // log of the rim's width
	MarginRoughLog   = 0.25 // log of the contour's irregularity
	PosteriorDB      = -1.2 // attenuation behind the lesion: the higher the tumour score, the less shadow
)

// Values at score 0 and the spread between patients that has nothing to do with Ki-67.
const (
	lesionLevelDB, lesionLevelSD = -13.0, 0.8 // dB against glandular tissue
	textureDB, textureLogSD      = 2.2, 0.12  // contrast of the inside texture in dB
	haloDB, haloSD               = 0.5, 1.0   // dB of the rim against glandular tissue
	rimShare                     = 0.88       // how far the rim replaces the tissue at the border
	haloMM, haloLogSD            = 1.1, 0.20  // width of the rim in mm
	roughness, roughLogSD        = 0.09, 0.30 // relative amplitude of the contour's harmonics
	posteriorDB, posteriorSD     = 4.0, 3.5   // dB lost through the lesion beyond its surroundings
)

// Latent is the planted truth of one patient.
type Latent struct {
	Ki67   float64 // percent
	Score  float64 // normal score of Ki-67 over the cohort's distribution
	Tumour float64 // what the inside of the lesion shows
	Margin float64 // what its rim shows
}

// Latents returns the planted truth behind every patient that Write writes for this configuration, in table order.
func Latents(c Config) []Latent {
	patients := drawCohort(c.Patients, c.Seed)
	out := make([]Latent, len(patients))
	for i, p := range patients {
		out[i] = drawLatent(p, rng.Stream(c.Seed, "synth", "latent", p.id))
	}
	return out
}

func drawLatent(p patient, r *rand.Rand) Latent {
	see := func(visibility float64) float64 {
		return visibility*p.score + math.Sqrt(1-visibility*visibility)*r.NormFloat64()
	}
	return Latent{Ki67: p.ki67, Score: p.score, Tumour: see(TumourVisibility), Margin: see(MarginVisibility)}
}

// signs are the visible properties of a lesion that carry the planted signal.
type signs struct {
	level     float64 // dB against glandular tissue
	texture   float64 // SD of the inside texture in dB
	halo      float64 // dB of the rim against glandular tissue
	haloWidth float64 // mm
	roughness float64 // relative amplitude of the contour's harmonics
	posterior float64 // dB lost through the lesion; negative = enhancement
}

func drawSigns(l Latent, r *rand.Rand) signs {
	return signs{
		level:     lesionLevelDB + TumourLevelDB*l.Tumour + lesionLevelSD*r.NormFloat64(),
		texture:   textureDB * math.Exp(TumourTextureLog*l.Tumour+textureLogSD*r.NormFloat64()),
		halo:      haloDB + MarginHaloDB*l.Margin + haloSD*r.NormFloat64(),
		haloWidth: haloMM * math.Exp(MarginHaloLog*l.Margin+haloLogSD*r.NormFloat64()),
		roughness: roughness * math.Exp(MarginRoughLog*l.Margin+roughLogSD*r.NormFloat64()),
		posterior: posteriorDB + PosteriorDB*l.Tumour + posteriorSD*r.NormFloat64(),
	}
}
