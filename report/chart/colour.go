// Package chart takes points and labels in figure coordinates and gives SVG that reads in light and dark, on screen and in print.
package chart

import (
	"fmt"
	"strings"
)

// Colour is a named ink with a shade for light and one for dark backgrounds. The light shade stands in the elements'
// attributes, which every program reads; browsers replace it by a style rule where the reader prefers dark.
type Colour struct{ Name, Light, Dark string }

// Inks of text and axes, and the Okabe-Ito palette (colour-blind-safe), lightened in the dark where needed.
var (
	Ink        = Colour{"ink", "#1a1c1f", "#e6e7e9"}
	Muted      = Colour{"muted", "#5c6166", "#a4a9ae"}
	Faint      = Colour{"faint", "#dcdfe2", "#3d4246"}
	Paper      = Colour{"paper", "#ffffff", "#17191c"}
	Orange     = Colour{"orange", "#e69f00", "#e69f00"}
	SkyBlue    = Colour{"sky", "#56b4e9", "#56b4e9"}
	Green      = Colour{"green", "#009e73", "#20b98d"}
	Yellow     = Colour{"yellow", "#b5a600", "#f0e442"} // the palette's yellow is too faint on white
	Blue       = Colour{"blue", "#0072b2", "#4ba3dc"}
	Vermillion = Colour{"vermillion", "#d55e00", "#f07b26"}
	Purple     = Colour{"purple", "#cc79a7", "#dc93bb"}
	Grey       = Colour{"grey", "#7a7f84", "#a0a5aa"}
)

var palette = []Colour{Ink, Muted, Faint, Paper, Orange, SkyBlue, Green, Yellow, Blue, Vermillion, Purple, Grey}

// Fonts are the reader's own.
const fonts = `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif`

// Style is the CSS that the figures need: fonts, and the dark shades on screens.
func Style() string {
	var b strings.Builder
	fmt.Fprintf(&b, "svg.figure{font-family:%s;font-variant-numeric:tabular-nums}\n@media screen and (prefers-color-scheme:dark){", fonts)
	for _, c := range palette {
		fmt.Fprintf(&b, "svg.figure .s-%s{stroke:%s}svg.figure .f-%s{fill:%s}", c.Name, c.Dark, c.Name, c.Dark)
	}
	b.WriteString("}\n")
	return b.String()
}
