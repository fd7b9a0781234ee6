// The panel of nb.Explore. Given by the page around it: box, the element to fill; start, the
// values of the sliders; key, the name of this version of the engine; wasm, the engine (gzip,
// base64, "" where an earlier panel brings it); glue, wasm_exec.js as a function of the global
// object, so that nothing of Go's lands in the page's own.

const blue = "#0072B2", vermillion = "#D55E00", green = "#009E73", ink = "#222", soft = "#888"; // as in package plots
const DAYS = 36; // either side of the closest approach: the axis of the light curve

// One engine serves all panels of a page.
async function load() {
	const zipped = Uint8Array.from(atob(wasm), c => c.charCodeAt(0));
	const code = await new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
	const scope = {crypto, performance, TextEncoder, TextDecoder, Date, Object, Array, Uint8Array};
	glue(scope);
	const go = new scope.Go(), {instance} = await WebAssembly.instantiate(code, go.importObject);
	go.run(instance);
	return instance.exports;
}
const shelf = (globalThis.mlensEngines ??= {})[key] ??= (() => { const s = {}; s.ready = new Promise(r => s.give = r); return s })();
if (wasm && !shelf.taken) { shelf.taken = true; shelf.give(load()) }
let engine;
try {
	engine = await shelf.ready;
} catch (e) {
	box.querySelector("p").textContent = "The panel does not run here: " + e;
	return;
}
const numbers = n => new Float64Array(engine.mem.buffer, engine.values(), n).slice();
const pixels = n => new Uint32Array(engine.mem.buffer, engine.pixels(), n);

// Elements
const el = (tag, attrs = {}, ...children) => {
	const e = document.createElement(tag);
	for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
	e.append(...children);
	return e;
};
const style = el("style");
style.textContent = `
.mlens-live{container-type:inline-size;max-width:1040px;box-sizing:border-box;background:#fff;color:${ink};border:1px solid #ddd;border-radius:6px;padding:10px 12px;font:13px/1.35 system-ui,sans-serif}
.mlens-live .pictures{display:grid;grid-template-columns:1.35fr 1fr 1fr;gap:10px}
.mlens-live .pictures>div{min-width:0}
.mlens-live canvas{display:block;width:100%;max-width:none;touch-action:pan-y}
.mlens-live .said{min-height:1.4em;margin:4px 2px 8px}
.mlens-live sub{font-size:75%;line-height:0}
.mlens-live .sliders{display:grid;grid-template-columns:1fr 1fr;gap:0 28px;align-items:start}
.mlens-live .row{display:grid;grid-template-columns:5.2em minmax(0,1fr) 8.2em;gap:10px;align-items:center;min-height:24px}
.mlens-live input{width:100%;margin:0;accent-color:${blue}}
.mlens-live .row output{font-variant-numeric:tabular-nums;white-space:nowrap}
.mlens-live .kinds{display:flex;margin:0 8px;gap:2px}
.mlens-live button{font:inherit;color:inherit;background:#eef2f6;border:1px solid #c5ccd4;border-radius:4px;cursor:pointer;padding:1px 10px;min-width:0;overflow:hidden;white-space:nowrap}
.mlens-live .kinds button{font-size:11px;padding:0;height:17px;line-height:15px}
.mlens-live button[aria-pressed=true]{background:${blue};border-color:${blue};color:#fff}
.mlens-live button:focus-visible,.mlens-live input:focus-visible{outline:2px solid ${vermillion};outline-offset:2px}
@container (max-width:640px){.mlens-live .pictures{grid-template-columns:1fr 1fr}.mlens-live .pictures>div:first-child{grid-column:1/3}.mlens-live .sliders{grid-template-columns:1fr}}`;
const canvas = () => el("canvas", {role: "img"});
const curvePane = canvas(), sourcePane = canvas(), lensPane = canvas();
const said = el("div", {class: "said", "aria-live": "polite"});
const columns = [el("div"), el("div")], sliders = el("div", {class: "sliders"}, ...columns);
const pictures = el("div", {class: "pictures"}, ...[curvePane, sourcePane, lensPane].map(c => el("div", {}, c)));
// JupyterLab's shortcuts would take the arrow keys from the sliders, and its notebook the focus.
const live = el("div", {class: "mlens-live", "data-lm-suppress-shortcuts": "true"}, style, pictures, said, sliders);
live.addEventListener("keydown", e => e.stopPropagation());

// Sliders: what they are called, and how their value is shown.
const fixed = (x, n) => x.toFixed(n).replace("-", "−");
const short = x => { // three digits, powers of ten below 0.001
	if (x >= 1e-3) return x.toPrecision(3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
	const e = Math.floor(Math.log10(x) + 1e-9);
	return (x / 10 ** e).toFixed(1) + "·10" + [...String(e)].map(c => "⁻¹²³⁴⁵"["-12345".indexOf(c)]).join("");
};
// The first four stand in the left column.
const E = "θ_E", rows = {
	logS: ["log s", "separation of the two lenses", -0.6, 0.6, 0.004, v => `s = ${short(10 ** v)} ${E}`],
	logQ: ["log q", "mass ratio of the two lenses", -5, 0, 0.01, v => `q = ${short(10 ** v)}`],
	logRho: ["log ρ", "radius of the source", -4, -0.7, 0.01, v => `ρ = ${short(10 ** v)} ${E}`],
	zoom: ["zoom", "enlargement of the source plane about the source", 0, 2, 0.01, v => `× ${short(10 ** v)}`],
	alpha: ["α", "direction of the source's motion", 0, 360, 0.5, v => `${fixed(v, 1)}°`],
	u0: ["u₀", "closest approach to the centre of mass", 0, 2, 0.002, v => `${fixed(v, 3)} ${E}`],
	logTE: ["log t_E", "Einstein time", 0, 2, 0.01, v => `t_E = ${short(10 ** v)} d`],
	time: ["time", "time since the closest approach", -DAYS, DAYS, 0.02, v => `t − t₀ = ${fixed(v, 2)} d`],
};
// Text with indices, t_E, as elements.
const marked = s => s.split(/_(\w)/).map((part, i) => i % 2 ? el("sub", {}, part) : part);
const value = {...start, zoom: 0}, inputs = {};
for (const [name, [label, meaning, min, max, step, show]] of Object.entries(rows)) {
	const input = inputs[name] = el("input", {type: "range", min, max, step, title: meaning, "aria-label": `${label.replace("_", "")}: ${meaning}`});
	const out = el("output");
	input.sync = () => {
		const text = show(value[name]);
		if (+input.value !== value[name]) input.value = value[name];
		input.setAttribute("aria-valuetext", text.replaceAll("_", ""));
		out.replaceChildren(...marked(text));
	};
	input.addEventListener("input", () => { value[name] = +input.value; input.sync(); change() });
	columns[+(columns[0].children.length === 4)].append(el("label", {class: "row"}, el("span", {title: meaning}, ...marked(label)), input, out));
}
const set = (name, v) => {
	const [, , min, max] = rows[name];
	value[name] = Math.min(max, Math.max(min, v));
	inputs[name].sync();
	change();
};

// The three topologies as parts of the range of s, which choose one when pressed.
const names = ["close", "resonant", "wide"];
const kinds = names.map(k => el("button", {type: "button", title: k, "aria-label": `${k} topology`}, k));
kinds.forEach((b, i) => b.addEventListener("click", () => {
	const [c, w] = borders(10 ** value.logQ);
	set("logS", [c - 0.1, (c + w) / 2, w + 0.1][i]);
}));
const play = el("button", {type: "button", "aria-pressed": "false"}, "▶ play"), reset = el("button", {type: "button"}, "reset");
columns[0].firstChild.after(el("div", {class: "row"}, el("span"), el("div", {class: "kinds"}, ...kinds), el("span")));
columns[1].append(el("div", {class: "row"}, el("span"), el("div", {style: "display:flex;gap:8px;margin:2px 0 0 8px"}, play, reset), el("span")));
reset.addEventListener("click", () => { for (const k in rows) set(k, k === "zoom" ? 0 : start[k]) });
let playing = 0; // the frame to come
const frame = before => now => {
	if (!live.isConnected) return;
	const t = value.time + (now - before) / 8000 * 2 * DAYS; // the season in eight seconds
	set("time", t > DAYS ? -DAYS : t);
	playing = requestAnimationFrame(frame(now));
};
play.addEventListener("click", () => {
	if (playing) { cancelAnimationFrame(playing); playing = 0 } else playing = requestAnimationFrame(frame(performance.now()));
	play.setAttribute("aria-pressed", !!playing);
	play.textContent = playing ? "❚❚ pause" : "▶ play";
});

// borders returns log s where close meets resonant and resonant wide (Erdl & Schneider 1993).
function borders(q) {
	const m1 = 1 / (1 + q), m2 = q / (1 + q);
	let lo = 0.1, hi = 1;
	for (let i = 0; i < 50; i++) {
		const s = (lo + hi) / 2;
		if ((1 - s ** 4) ** 3 > 27 * m1 * m2 * s ** 8) lo = s; else hi = s;
	}
	return [Math.log10(lo), 1.5 * Math.log10(Math.cbrt(m1) + Math.cbrt(m2))];
}

// The model
const at = t => {
	const a = value.alpha * Math.PI / 180, tau = t / 10 ** value.logTE, c = Math.cos(a), s = Math.sin(a);
	return [tau * c - value.u0 * s, tau * s + value.u0 * c];
};
let curves, curvesOf, light, lightOf, single, singleOf;
function findCurves() {
	const of = [value.logS, value.logQ].join();
	if (of === curvesOf) return;
	const v = numbers(engine.curves(10 ** value.logS, 10 ** value.logQ, 128));
	const k = v[1], loops = [];
	let i = 2 + k;
	for (let set = 0; set < 2; set++) for (let j = 0; j < k; j++) { loops.push(v.subarray(i, i + 2 * v[2 + j])); i += 2 * v[2 + j] }
	curves = {kind: v[0], critical: loops.slice(0, k), caustics: loops.slice(k)};
	curvesOf = of;
}
function findLight(fine) {
	const of = [value.logS, value.logQ, value.alpha, value.u0, value.logRho, value.logTE].join();
	if (lightOf === of + true || lightOf === of + fine) return;
	light = numbers(engine.lightCurve(10 ** value.logS, 10 ** value.logQ, value.u0, value.alpha, 10 ** value.logTE, 10 ** value.logRho, -DAYS, DAYS, fine));
	lightOf = of + fine;
	const alone = [value.alpha, value.u0, value.logRho, value.logTE].join();
	if (singleOf === alone) return;
	single = numbers(engine.singleLens(value.u0, value.alpha, 10 ** value.logTE, 10 ** value.logRho, -DAYS, DAYS, 241));
	singleOf = alone;
}

// Drawing: lengths are CSS pixels, the canvas has those of the screen.
const left = 54, right = 8, top_ = 22, bottom = 34;
const widths = new Map(); // of the canvases: to ask the page while drawing would have it laid out each time
const height = () => widths.get(sourcePane) - left - right + top_ + bottom; // the planes are square
function clean(c) {
	const w = widths.get(c), h = height(), d = devicePixelRatio || 1;
	if (c.style.height !== h + "px") c.style.height = h + "px";
	if (c.width !== Math.round(w * d) || c.height !== Math.round(h * d)) { c.width = Math.round(w * d); c.height = Math.round(h * d) }
	const g = c.getContext("2d");
	g.setTransform(d, 0, 0, d, 0, 0);
	g.clearRect(0, 0, w, h);
	g.font = "11px system-ui,sans-serif";
	g.lineJoin = "round";
	g.lineWidth = 1;
	return [g, w, h];
}
const steps = (lo, hi, n) => { // about n round numbers
	const r = (hi - lo) / n, p = 10 ** Math.floor(Math.log10(r)), s = p * [1, 2, 5, 10].find(k => k * p >= r), out = [];
	for (let k = Math.ceil(lo / s - 1e-9); k * s <= hi * (1 + 1e-12) + 1e-12; k++) out.push([k * s, fixed(k * s, Math.max(0, -Math.floor(Math.log10(s) + 1e-9)))]);
	return out;
};
// A text with a lowered part, x_i, centred at (x, y).
function write(g, s, x, y) {
	const parts = s.split("_"), font = g.font;
	const small = font.replace("11px", "9px");
	const pieces = parts.length > 1 ? [[parts[0], font, 0], [parts[1][0], small, 3], [parts[1].slice(1), font, 0]] : [[s, font, 0]];
	let w = 0;
	for (const p of pieces) { g.font = p[1]; p.push(g.measureText(p[0]).width); w += p[3] }
	g.textAlign = "left";
	let px = x - w / 2;
	for (const [t, f, dy, tw] of pieces) { g.font = f; g.fillText(t, px, y + dy); px += tw }
	g.font = font;
}
function axes(g, w, h, xs, ys, X, Y, xlabel, ylabel, title) {
	g.strokeStyle = "#aaa";
	g.strokeRect(left + .5, top_ + .5, w - left - right - 1, h - top_ - bottom - 1);
	g.fillStyle = "#555"; g.strokeStyle = "#777";
	g.textAlign = "center";
	g.beginPath();
	for (const [v, s] of xs) { g.fillText(s, Math.min(X(v), w - g.measureText(s).width / 2), h - bottom + 14); g.moveTo(X(v), h - bottom); g.lineTo(X(v), h - bottom - 4) }
	g.textAlign = "right";
	for (const [v, s] of ys) { g.fillText(s, left - 4, Y(v) + 4); g.moveTo(left, Y(v)); g.lineTo(left + 4, Y(v)) }
	g.stroke();
	g.fillStyle = ink;
	write(g, xlabel, (left + w - right) / 2, h - 6);
	g.save(); g.translate(9, (top_ + h - bottom) / 2); g.rotate(-Math.PI / 2); write(g, ylabel, 0, 0); g.restore();
	g.textAlign = "left";
	g.font = "600 12px system-ui,sans-serif";
	g.fillText(title, left, 14);
	g.font = "11px system-ui,sans-serif";
}
function inside(g, w, h) {
	g.save();
	g.beginPath();
	g.rect(left, top_, w - left - right, h - top_ - bottom);
	g.clip();
}
const trace = (g, p, X, Y) => { g.beginPath(); for (let i = 0; i < p.length; i += 2) g.lineTo(X(p[i]), Y(p[i + 1])); g.closePath() };
// A square part of a plane, and the way from it to the canvas.
function plane(c, [x0, y0, half], title, xlabel, ylabel) {
	const [g, w, h] = clean(c);
	const k = (w - left - right) / (2 * half), X = x => left + (x - x0 + half) * k, Y = y => top_ + (y0 + half - y) * k;
	axes(g, w, h, steps(x0 - half, x0 + half, 4), steps(y0 - half, y0 + half, 4), X, Y, xlabel, ylabel, title);
	inside(g, w, h);
	return {g, w, h, X, Y, k};
}
function enclosing(loops, more = []) { // centre and half width of the square that holds them
	let a = Infinity, b = -Infinity, c = 0;
	for (const p of [...loops, more]) for (let i = 0; i < p.length; i += 2) { a = Math.min(a, p[i]); b = Math.max(b, p[i]); c = Math.max(c, Math.abs(p[i + 1])) }
	return [(a + b) / 2, Math.max((b - a) / 2, c)];
}
function plus(g, x, y, r) {
	g.strokeStyle = ink; g.lineWidth = 1.5; g.setLineDash([]);
	g.beginPath(); g.moveTo(x - r, y); g.lineTo(x + r, y); g.moveTo(x, y - r); g.lineTo(x, y + r); g.stroke();
}
function lenses(p) {
	const s = 10 ** value.logS, q = 10 ** value.logQ;
	plus(p.g, p.X(-s * q / (1 + q)), p.Y(0), 6);
	plus(p.g, p.X(s / (1 + q)), p.Y(0), 3 + 3 * Math.cbrt(q));
}
const disc = (g, x, y, r) => { g.beginPath(); g.arc(x, y, r, 0, 2 * Math.PI) };

// The square about (cx, 0), enlarged about the source: from four times on that is in the middle,
// however far from the rest it was.
function enlarged(cx, half, sx, sy, zoom) {
	const z = 10 ** -zoom, way = Math.min(zoom / Math.log10(4), 1), aside = z * (1 - way * way * (3 - 2 * way));
	return [sx + (cx - sx) * aside, sy - sy * aside, half * z];
}
let sourceView; // for the pointer
function drawSource() {
	const [cx, half] = enclosing(curves.caustics), a = value.alpha * Math.PI / 180, [sx, sy] = at(value.time);
	// All caustics and a piece of the path.
	const off = Math.abs(-Math.sin(a) * cx - value.u0);
	const view = enlarged(cx, Math.max(1.2 * half, 1.15 * off), sx, sy, value.zoom);
	const p = plane(sourcePane, view, "Source plane", "x [θ_E]", "y [θ_E]"), {g, X, Y} = p;
	for (const c of curves.caustics) {
		trace(g, c, X, Y);
		g.fillStyle = "rgba(0,114,178,.10)"; g.fill("evenodd");
		g.strokeStyle = blue; g.lineWidth = 1.5; g.stroke();
	}
	lenses(p);
	// The path, as far as the picture, with an arrow well ahead of the source.
	const dx = Math.cos(a), dy = Math.sin(a), far = 4 * view[2] + Math.hypot(sx - view[0], sy - view[1]);
	g.strokeStyle = green; g.fillStyle = green; g.lineWidth = 1.5;
	g.beginPath(); g.moveTo(X(sx - far * dx), Y(sy - far * dy)); g.lineTo(X(sx + far * dx), Y(sy + far * dy)); g.stroke();
	const along = (view[0] - sx) * dx + (view[1] - sy) * dy, fx = sx + (along + .72 * view[2]) * dx, fy = sy + (along + .72 * view[2]) * dy;
	g.save(); g.translate(X(fx), Y(fy)); g.rotate(-a); g.beginPath(); g.moveTo(6, 0); g.lineTo(-5, -5); g.lineTo(-5, 5); g.fill(); g.restore();
	const r = 10 ** value.logRho * p.k;
	disc(g, X(sx), Y(sy), Math.max(r, 3)); g.fillStyle = "rgba(213,94,0,.85)"; g.fill();
	g.strokeStyle = "#fff"; g.lineWidth = 1; if (r < 3) g.stroke();
	g.restore();
	sourceView = {x0: view[0], y0: view[1], half: view[2]};
}

const offscreen = document.createElement("canvas");
let picture;
function drawLens() {
	const [sx, sy] = at(value.time), s = 10 ** value.logS, q = 10 ** value.logQ, rho = 10 ** value.logRho;
	const v = numbers(engine.source(s, q, sx, sy, rho));
	const [cx, half0] = enclosing(curves.critical, [-1, 1, 1, -1]), half = Math.max(1.12 * half0, 1.5);
	const p = plane(lensPane, [cx, 0, half], "Lens plane", "x [θ_E]", "y [θ_E]"), {g, w, h, X, Y} = p;
	g.setLineDash([4, 3]); g.strokeStyle = soft; g.lineWidth = 1;
	disc(g, X(0), Y(0), p.k); g.stroke();
	g.setLineDash([]); g.strokeStyle = blue; g.lineWidth = 1;
	for (const c of curves.critical) { trace(g, c, X, Y); g.stroke() }
	// The images, pixel by pixel of the screen.
	const d = Math.min(devicePixelRatio || 1, 2), n = Math.round((w - left - right) * d);
	if (!picture || picture.width !== n) { offscreen.width = offscreen.height = n; picture = new ImageData(n, n) }
	const px = new Uint32Array(picture.data.buffer);
	px.fill(0);
	for (const k of pixels(engine.images(s, q, sx, sy, rho, cx - half, half, 2 * half / n, n, n))) px[k >>> 8] = (k & 255) << 24 | 0x005ED5; // vermillion
	offscreen.getContext("2d").putImageData(picture, 0, 0);
	g.drawImage(offscreen, left, top_, w - left - right, h - top_ - bottom);
	lenses(p);
	g.setLineDash([2, 2]); g.strokeStyle = soft; g.lineWidth = 1;
	disc(g, X(sx), Y(sy), Math.max(rho * p.k, 3)); g.stroke();
	g.setLineDash([]);
	for (let i = 3; i < v.length; i += 3) { disc(g, X(v[i]), Y(v[i + 1]), 2.2); g.fillStyle = vermillion; g.fill(); g.strokeStyle = "#fff"; g.stroke() }
	g.restore();
	return v;
}

const tops = [1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000, 1e4, 1e5, 1e6];
function drawCurve(A) {
	const [g, w, h] = clean(curvePane);
	let most = 1;
	for (let i = 1; i < light.length; i += 2) if (light[i] > most) most = light[i];
	const hi = tops.find(t => t >= 1.03 * most) ?? most, span = Math.log(hi);
	const X = t => left + (t + DAYS) / (2 * DAYS) * (w - left - right), Y = a => h - bottom - 6 - Math.log(a) / span * (h - top_ - bottom - 12);
	const ys = [];
	for (const a of [1, ...tops]) if (a <= hi && (!ys.length || ys.at(-1)[2] - Y(a) > 17)) ys.push([a, String(a), Y(a)]);
	axes(g, w, h, steps(-DAYS, DAYS, 7), ys, X, Y, "t − t₀ [days]", "magnification", "Light curve");
	inside(g, w, h);
	g.strokeStyle = soft; g.setLineDash([4, 3]);
	g.beginPath();
	single.forEach((a, i) => g.lineTo(X((i / 120 - 1) * DAYS), Y(a)));
	g.stroke();
	g.setLineDash([]);
	g.strokeStyle = "rgba(213,94,0,.5)";
	g.beginPath(); g.moveTo(X(value.time), top_); g.lineTo(X(value.time), h - bottom); g.stroke();
	g.strokeStyle = ink; g.lineWidth = 1.6;
	g.beginPath();
	for (let i = 0; i < light.length; i += 2) g.lineTo(X(light[i]), Y(light[i + 1]));
	g.stroke();
	disc(g, X(value.time), Y(A), 4); g.fillStyle = vermillion; g.fill(); g.strokeStyle = "#fff"; g.lineWidth = 1; g.stroke();
	g.fillStyle = soft; g.textAlign = "left";
	g.fillText("dashed: one lens of the same mass at the origin", left + 7, top_ + 14);
	g.restore();
}

const shapes = ["two triangular caustics and a central one", "one caustic with six cusps", "a central and a planetary caustic"];
function draw(fine) {
	const began = performance.now();
	if (!widths.get(sourcePane)) return; // not to be seen
	findCurves();
	findLight(fine);
	drawSource();
	const v = drawLens(), A = v[0];
	drawCurve(A);
	const [c, w] = borders(10 ** value.logQ), [, , lo, hi] = rows.logS;
	[c - lo, w - c, hi - w].forEach((x, i) => {
		kinds[i].style.flex = `${x} 0 0`;
		kinds[i].textContent = x > 0.2 ? names[i] : ""; // a light planet leaves resonance no room
		kinds[i].setAttribute("aria-pressed", i === curves.kind);
	});
	live.dataset.ms = (performance.now() - began).toFixed(1);
	if (!fine) return;
	// Words once the hand rests: a screen reader is not to stutter.
	const kind = names[curves.kind], a = x => x < 100 ? x.toFixed(2) : x.toFixed(0);
	said.replaceChildren(el("b", {}, kind[0].toUpperCase() + kind.slice(1)),
		`: ${shapes[curves.kind]}. ${v[2]} images of the source's centre. Magnification ${a(A)}; one lens alone: ${a(v[1])}.`);
	curvePane.setAttribute("aria-label", `Light curve from ${-DAYS} to ${DAYS} days; magnification ${a(A)} at the marked time`);
	sourcePane.setAttribute("aria-label", `Source plane: ${kind} topology, ${shapes[curves.kind]}, and the path of the source`);
	lensPane.setAttribute("aria-label", `Lens plane: critical curves and ${v[2]} images of the source`);
}
let asked = false, rest = 0;
function change() {
	clearTimeout(rest);
	rest = setTimeout(() => requestAnimationFrame(() => draw(true)), 140);
	if (asked) return;
	asked = true;
	requestAnimationFrame(() => { asked = false; draw(false) });
}

// The pointer moves the source in time.
function drag(c, time) {
	const move = e => { const b = c.getBoundingClientRect(); set("time", time(e.clientX - b.left, e.clientY - b.top, c)) };
	c.addEventListener("pointerdown", e => { c.setPointerCapture(e.pointerId); move(e) });
	c.addEventListener("pointermove", e => { if (e.buttons) move(e) });
}
curvePane.style.cursor = "ew-resize";
sourcePane.style.cursor = "crosshair";
drag(curvePane, (x, y, c) => ((x - left) / (c.clientWidth - left - right) * 2 - 1) * DAYS);
drag(sourcePane, (x, y, c) => {
	const {x0, y0, half} = sourceView, k = 2 * half / (c.clientWidth - left - right), a = value.alpha * Math.PI / 180;
	return ((x0 - half + (x - left) * k) * Math.cos(a) + (y0 + half - (y - top_) * k) * Math.sin(a)) * 10 ** value.logTE;
});

for (const k in inputs) inputs[k].sync();
box.firstElementChild.replaceWith(live);
new ResizeObserver(() => {
	for (const c of [curvePane, sourcePane, lensPane]) widths.set(c, c.clientWidth);
	draw(true);
}).observe(live);
