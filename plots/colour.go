package plots

import "image/color"

// Palette returns the colour of the i-th solution or curve, i ≥ 0: the
// colours of Okabe & Ito (2008), which readers with any common colour
// blindness can tell apart, strongest contrast on white first. It repeats
// after seven.
func Palette(i int) color.NRGBA {
	if i < 0 {
		panic("plots: negative colour index")
	}
	return okabeIto[i%len(okabeIto)]
}

// Okabe & Ito (2008), https://jfly.uni-koeln.de/color/, without their black,
// which is ink here, and with the yellow, weak on white, last.
var okabeIto = [...]color.NRGBA{
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0xF0, 0xE4, 0x42, 0xFF}, // yellow
}

var (
	ink   = color.NRGBA{0x22, 0x22, 0x22, 0xFF} // text, axes
	soft  = color.NRGBA{0x88, 0x88, 0x88, 0xFF} // guides, secondary text
	faint = color.NRGBA{0xE4, 0xE6, 0xEA, 0xFF} // bands
	truth = okabeIto[5]                         // cross-hairs of the truth, orange as in the paper

	// fill are the regions of a density, outermost (4σ) first.
	fill = [4]color.NRGBA{
		{0xEC, 0xF0, 0xF5, 0xFF},
		{0xCF, 0xDA, 0xE7, 0xFF},
		{0x98, 0xB1, 0xCE, 0xFF},
		{0x54, 0x7C, 0xAB, 0xFF},
	}
	fillEdge = color.NRGBA{0x2F, 0x4F, 0x78, 0xFF}
)

// fade returns the colour with its opacity multiplied by a in [0, 1].
func fade(c color.NRGBA, a float64) color.NRGBA {
	c.A = uint8(float64(c.A)*a + 0.5)
	return c
}
