package synth

import "math/rand/v2"

// device is one scanner: its probe, its picture, its habits. The names say what it resembles, not what it is.
type device struct {
	name    string
	centre  string
	share   float64 // of the centre's patients
	sizes   [][2]int
	frame   frame
	array   float64 // mm, width of the probe's field
	probe   probe
	picture picture
	sector  float64 // chance of a trapezoid field of view
	caliper float64 // chance of burnt-in calipers
}

// gainSD is how far operators differ in overall gain, dB.
const gainSD = 1.0

// frame is the black surround in px.
type frame struct {
	left, top, right, bottom int
	label                    string
}

// picture is how echo becomes grey.
type picture struct {
	dynamicRange float64 // dB from black to white
	white        float64 // dB above glandular tissue that is shown white
	contrast     float64 // S-shape of the grey map: 0 linear, 1 strong
	smooth       float64 // share of a 3x3 mean mixed in (speckle reduction)
	sharpen      float64 // unsharp masking over 5x5
}

var devices = []device{
	{
		name: "Philips-like", centre: "A", share: 0.6,
		sizes: [][2]int{{640, 480}, {700, 520}}, array: 50,
		probe:   probe{mhz: 11, cycles: 2.2, fNumber: 2.2, focus: 18, blur: 14, looks: 3, penetration: 34, noise: -46},
		picture: picture{dynamicRange: 58, white: 29, contrast: 0.3, smooth: 0.3, sharpen: 0.5},
		caliper: 0.04,
	},
	{
		name: "Toshiba-like", centre: "A", share: 0.4,
		sizes: [][2]int{{560, 420}, {620, 460}}, array: 48,
		frame:   frame{left: 22, top: 10, right: 8, bottom: 10, label: "12L5"},
		probe:   probe{mhz: 9.5, cycles: 2.6, fNumber: 2.6, focus: 20, blur: 12, looks: 1, penetration: 30, noise: -42},
		picture: picture{dynamicRange: 62, white: 30, contrast: 0.1, smooth: 0.4, sharpen: 0},
		caliper: 0.06,
	},
	{
		name: "Mindray-like", centre: "B", share: 1,
		sizes: [][2]int{{680, 510}, {760, 560}}, array: 50,
		frame:   frame{left: 8, top: 16, right: 26, bottom: 6, label: "L12-4"},
		probe:   probe{mhz: 10, cycles: 2.3, fNumber: 2.4, focus: 19, blur: 14, looks: 2, penetration: 33, noise: -45},
		picture: picture{dynamicRange: 60, white: 29, contrast: 0.2, smooth: 0.3, sharpen: 0.3},
		sector:  0.25, caliper: 0.05,
	},
}

// drawDevice chooses one of the centre's scanners.
func drawDevice(centre string, r *rand.Rand) device {
	u := r.Float64()
	var last device
	for _, d := range devices {
		if d.centre != centre {
			continue
		}
		last = d
		if u -= d.share; u < 0 {
			break
		}
	}
	return last
}
