package lens

import "math"

// SingleLens is the magnification of a point source at distance u, in θ_E,
// from a single lens, (u²+2)/(u√(u²+4)) (Paczyński 1986, ApJ 304, 1). It is
// +Inf at u = 0 and even in u.
func SingleLens(u float64) float64 {
	u = math.Abs(u)
	if u > 1e4 {
		// u² may overflow, and the excess 2/u⁴ is below rounding.
		return 1
	}
	return (u*u + 2) / (u * math.Sqrt(u*u+4))
}

// SingleLensDisc is the magnification of a uniform disc of radius rho at
// distance u from a single lens (the integral Witt & Mao 1994, ApJ 430, 505,
// express by elliptic functions). Both lengths are in θ_E; rho = 0 is
// SingleLens and u = 0 gives √(1+4/ρ²) exactly.
//
// By Green's theorem on the image of the limb, with l the distance of the
// limb point at angle θ,
//
//	A = (1/π) ∫₀^π [l + 4(ρ + u cos θ)²/l³]/√(l²+4) dθ.
//
// With opt.LimbDarkening the disc is not uniform, but an integral over uniform
// ones; the function panics if opt does not pass Check.
func SingleLensDisc(u, rho float64, opt Options) float64 {
	opt.must()
	u, rho = math.Abs(u), math.Abs(rho)
	if rho == 0 || opt.PointSource {
		return SingleLens(u)
	}
	if opt.LimbDarkening != 0 {
		return singleDarkened(u, rho, opt)
	}
	if u == 0 {
		return math.Sqrt(1 + 4/(rho*rho))
	}
	if math.Abs(u-rho) < 1e-9*rho {
		// The limb through the lens: the integrand is a spike of finite area
		// and no width. A is continuous there.
		u = rho * (1 + 1e-9)
	}
	f := func(th float64) float64 {
		// l² about θ = π, where u ≈ ρ would cancel: (u−ρ)² + 4uρ cos²(θ/2).
		c := math.Sin(th / 2) // th is measured from the point nearest the lens
		l2 := (u-rho)*(u-rho) + 4*u*rho*c*c
		l := math.Sqrt(l2)
		p := (rho - u) + 2*u*c*c // ρ + u cos θ
		if l == 0 {
			return 0
		}
		return (l + 4*(p/l)*(p/l)/l) / math.Sqrt(l2+4)
	}
	// The integrand varies on the scale |u−ρ|/√(uρ) next to th = 0.
	width := math.Abs(u-rho) / math.Sqrt(u*rho)
	tol := opt.withDefaults()
	sum, lo := 0.0, 0.0
	hi := math.Pi
	if width < 1 {
		hi = math.Max(width, 1e-12)
	}
	for {
		v, _ := quad(f, lo, hi, 1e-2*tol.AbsTol, 1e-2*tol.RelTol)
		sum += v
		if hi >= math.Pi {
			return math.Max(sum/math.Pi, 1)
		}
		lo, hi = hi, math.Min(8*hi, math.Pi)
	}
}

// singleDarkened is the integral of annuli.go. Its one kink is at the lens.
func singleDarkened(u, rho float64, opt Options) float64 {
	opt = opt.withDefaults()
	part := opt
	part.LimbDarkening = 0
	ann := annuli{m: 1}
	ann.disc = func(t, _ float64) (v, err column) {
		v[0] = SingleLensDisc(u, rho*t, part)
		err[0] = 0.1 * part.target(v[0])
		return v, err
	}
	smooth := u >= rho
	if !smooth {
		ann.kinks = append(ann.kinks, u/rho)
	}
	ann.begin(smooth, 0)
	v, _ := ann.integrate(opt.LimbDarkening, func(v *column) column { return column{opt.target(v[0])} })
	return math.Max(v[0], 1)
}
