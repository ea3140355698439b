// The page at work: one state, one frame that draws it, and what a hand can move.

const $ = (id) => document.getElementById(id);
let state = fromHash(location.hash), axes = null, held = null, frame = 0, rest = 0;
let found = {};

const constantsOf = ({ alpha_p, beta, eta, lambda_d, lambda_s }) => ({ alpha_p, beta, eta, lambda_d, lambda_s });
const lineConstants = (tab) => ({ ...LINES[tab].fixed, ...Object.fromEntries(
  Object.keys(LINES[tab].sliders).filter((name) => !["x0", "t1"].includes(name)).map((name) => [name, state[name]])) });

// What depends on the constants alone is kept while the start moves.
function portrait() {
  const k = constantsOf(state), tau = state.ema ? 1 : state.tau, view = held?.view ?? planeWindow(state);
  const key = JSON.stringify([k, tau, view]);
  if (found.key !== key) {
    const points = fixedPoints(k, tau);
    found = { key, k, tau, window: view, points, edge: separatrix(k, tau, view) };
    found.allCollapse = k.eta > 0 && !points.some((point) => point.name === "p₊");
  }
  return found;
}

function trajectory(t1) {
  const times = Array.from({ length: 161 }, (_, i) => (t1 * i) / 160), f = logField(found.k, state.ema ? [] : ["tau"]);
  let x = [state.p, Math.log(state.s), state.tau];
  const rows = times.map((t, i) => {
    if (i && x) x = advance(f, x, times[i - 1], t, { rtol: 1e-6, atol: 1e-9, first: Math.abs(t1) / 160, most: 2000 });
    const [p, u, tau] = x ?? [NaN, NaN, NaN], row = { p, s: Math.exp(u), tau };
    return { ...row, K: printed.alignment(row, found.k).K };
  });
  rows.times = times;
  return rows;
}

function drawPlaneTab(colour) {
  portrait();
  found.path = trajectory(state.t1);
  found.past = state.past ? trajectory(-state.t1 / 4) : [];
  axes = drawPlane(new CanvasPen($("plane")), state, found, colour);
  const fields = ["p", "s", "tau"].map((field) => ({ field, letter: { tau: "τ" }[field] ?? field, color: colour[field] }));
  drawTime(new CanvasPen($("time")), found.path, fields, colour, "The mode in time");
  drawTime(new CanvasPen($("K")), found.path, [{ field: "K", letter: "K", color: colour.K }], colour, "Rate K of alignment");
  drawBifurcation(new CanvasPen($("bifurcation")), state, found, colour);
  drawCubic(new CanvasPen($("cubic")), state, found, colour);
  say(explain(state, found, 300));
}

function lineOf(tab) {
  const one = LINES[tab], k = lineConstants(tab), at = (flow) => (x) => rates(flow, { [one.field]: x }, k)[one.field];
  const f = at(one.flow), [low, high] = one.window;
  const grid = Array.from({ length: 301 }, (_, i) => low + ((high - low) * i) / 300).filter((x) => Number.isFinite(f(x)));
  const roots = zeros((x) => (x === 0 && !Number.isFinite(f(0)) ? 0 : f(x)), low, high);
  const step = 1e-5 * (high - low);
  const points = roots.map((x) => ({ x, stable: f(x + step) < 0 && (x - step < low || f(x - step) > 0) }));
  const others = (one.beside ?? []).map((flow) => ({ flow, points: grid.map((x) => [x, at(flow)(x)]) }));
  return { k, grid, values: grid.map(f), points, others, start: state.x0, f };
}

function drawLineTab(colour) {
  const one = LINES[state.tab];
  found = lineOf(state.tab);
  axes = drawLine(new CanvasPen($("plane")), one, found, colour);
  const times = Array.from({ length: 161 }, (_, i) => (state.t1 * i) / 160);
  const run = (flow) => integrate(flow, { [one.field]: state.x0 }, found.k, times, { rtol: 1e-6, atol: 1e-9 });
  const rows = run(one.flow), fields = [{ field: one.field, letter: one.letter, color: colour.p }];
  for (const flow of one.beside ?? []) {
    run(flow).forEach((row, i) => { rows[i][flow] = row[one.field]; });
    fields.push({ field: flow, letter: "", color: colour.soft, dash: [5, 4] });
  }
  rows.times = times;
  found.path = rows;
  drawTime(new CanvasPen($("time")), rows, fields, colour, "In time");
  const up = found.f(state.x0), ahead = found.points.filter((point) => (up > 0 ? point.x > state.x0 : point.x < state.x0));
  const goal = up === 0 ? { x: state.x0 } : up > 0 ? ahead[0] : ahead.at(-1);
  const dies = goal && goal.x < 1e-6;
  say({ verdict: dies ? "collapses" : goal ? "survives" : "open",
    sentence: goal ? `From ${one.letter} = ${number(state.x0, 4)} the mode ${up > 0 ? "grows" : up < 0 ? "falls" : "stays"}${up ? ` to ${number(goal.x, 4)}` : ""}: ${dies ? "it collapses" : "it survives"}.`
      : `From ${one.letter} = ${number(state.x0, 4)} the mode leaves the window.` });
}

function say({ verdict, condition = "", sentence }) {
  $("verdict").dataset.verdict = verdict;
  $("verdict").textContent = sentence;
  found.verdict = { verdict, condition, sentence };
}

// Numbers in place of the letters, and the terms of the constant that is being moved marked.
function writeEquations() {
  const k = state.tab === "byol" ? constantsOf(state) : lineConstants(state.tab);
  for (const place of document.querySelectorAll("#numbers [data-name]")) {
    const name = place.dataset.name;
    const times = place.nextElementSibling && place.nextElementSibling.textContent !== ")" && !/^[+−|,]$/.test(place.nextElementSibling.textContent);
    if (name in k) place.innerHTML = `<mn>${number(k[name], 4)}</mn>${times ? "<mo>·</mo>" : ""}`;
  }
}

function layEquations() {
  const k = state.tab === "byol" ? constantsOf(state) : lineConstants(state.tab);
  const { equations } = variant(state.tab === "byol" ? "modes" : LINES[state.tab].flow, k);
  $("letters").innerHTML = Object.values(equations).join("");
  $("numbers").innerHTML = Object.values(equations).join("");
}

function mark(name) {
  const names = name === "sigma2" ? ["lambda_s"] : name === "x0" ? [LINES[state.tab].field] : [name];
  for (const term of document.querySelectorAll(".equations .term")) {
    term.classList.toggle("moved", term.dataset.uses.split(" ").some((use) => names.includes(use)));
  }
}

function render() {
  frame = 0;
  const begin = performance.now(), colour = colours();
  if (state.tab === "byol") drawPlaneTab(colour);
  else drawLineTab(colour);
  writeEquations();
  showSliders();
  window.linbyol.frames.push(performance.now() - begin);
  if (window.linbyol.frames.length > 600) window.linbyol.frames.shift();
  clearTimeout(rest);
  rest = setTimeout(settle, 150);
}

// At rest: the verdict without a limit on its steps, the address, and the call that gives the same in Python.
function settle() {
  if (state.tab === "byol") say(explain(state, found));
  history.replaceState(null, "", toHash(state));
  $("python").textContent = python();
}

const redraw = () => { frame ||= requestAnimationFrame(render); };

function set(change, name = "") {
  Object.assign(state, change);
  admitted(state, name);
  if (name) mark(name);
  redraw();
}

function showSliders() {
  for (const [name, { log }] of Object.entries(TABS[state.tab].sliders)) {
    const input = $(`slider-${name}`), output = $(`value-${name}`);
    if (document.activeElement !== input || Number(input.value) !== (log ? Math.log10(state[name]) : state[name])) {
      input.value = log ? Math.log10(state[name]) : state[name];
    }
    output.value = number(state[name], 4);
  }
  for (const name of SWITCHES) $(name).checked = state[name];
  $("slider-beta")?.toggleAttribute("disabled", !state.ema);
}

function laySliders() {
  const box = $("sliders");
  box.replaceChildren();
  for (const [name, { letter, words, from, to, step, log }] of Object.entries(TABS[state.tab].sliders)) {
    const row = document.createElement("label");
    row.className = "slider";
    row.title = words;
    row.innerHTML = `<span class="letter">${letter.replace(/_(.)/, "<sub>$1</sub>")}</span>
      <input type="range" id="slider-${name}" aria-label="${letter}: ${words}" min="${log ? Math.log10(from) : from}"
        max="${log ? Math.log10(to) : to}" step="${log ? 0.005 : step}"><output id="value-${name}"></output><span class="words">${words}</span>`;
    row.querySelector("input").addEventListener("input", (event) => {
      const value = Number(event.target.value);
      set({ [name]: log ? Number((10 ** value).toPrecision(4)) : value }, name);
    });
    box.append(row);
  }
}

function layTab() {
  document.body.dataset.tab = state.tab === "byol" ? "byol" : "line";
  for (const button of document.querySelectorAll("#tabs button")) {
    button.setAttribute("aria-selected", String(button.dataset.tab === state.tab));
    button.tabIndex = button.dataset.tab === state.tab ? 0 : -1;
  }
  $("about").textContent = LINES[state.tab]?.words ?? "One eigenmode: p of the predictor, s of W Wᵀ. Drag the ring to start elsewhere; shaded is the basin of collapse.";
  found = {};
  laySliders();
  layEquations();
  redraw();
}

function python() {
  const text = (fields, values) => fields.map((name) => `${name}=${values[name]}`).join(", ");
  const head = ["import jax", "import numpy as np"], x64 = ["", 'jax.config.update("jax_enable_x64", True)'];
  const times = `ts=np.linspace(0, ${state.t1}, 161)`;
  if (state.tab === "byol") {
    const flow = state.ema ? "modes_flow" : 'hold(modes_flow, "tau")';
    return [...head, `from linbyol.equations import Commuting, Modes, ${state.ema ? "modes_flow" : "hold, modes_flow"}`,
      "from linbyol.integrate import integrate", ...x64,
      `k = Commuting(${text(["alpha_p", "beta", "eta", "lambda_d", "lambda_s"], state)})`,
      `y = integrate(${flow}, Modes(${text(["p", "s", "tau"], state)}), k, ${times}).ys`].join("\n");
  }
  const k = lineConstants(state.tab), one = LINES[state.tab];
  const [module, kind, build, flow] = {
    directset: ["directset", "DirectSet, Encoder", `DirectSet(${text(Object.keys(k), k)})`, "directset_flow"],
    isoloss: ["isoloss", "Euclidean, Spectrum", `Euclidean(${text(Object.keys(k), k)})`, "euclidean_isoloss_flow"],
    cosine: ["cosine", "Cosine, Norms", `Cosine(kappa=${k.kappa}, rho=${k.rho})`, "frozen_flow"],
  }[one.flow];
  const start = { directset: `Encoder(${state.x0})`, isoloss: `Spectrum(${state.x0})`, cosine: `${state.x0}` }[one.flow];
  const call = one.flow === "cosine"
    ? `lambda p, k: frozen_flow(p, Norms(${text(["encoder", "predictor", "overlap"], k)}), k)` : flow;
  return [...head, `from linbyol.equations.${module} import ${kind}, ${flow}`, "from linbyol.integrate import integrate", ...x64,
    `y = integrate(${call}, ${start}, ${build}, ${times}).ys`].join("\n");
}

function csv() {
  const names = Object.keys(found.path[0]);
  return [["t", ...names].join(","), ...found.path.map((row, i) => [found.path.times[i], ...names.map((name) => row[name])].join(","))].join("\n") + "\n";
}

function svg() {
  const colour = colours(), canvas = $("plane"), pen = new SvgPen(canvas.clientWidth, canvas.clientHeight, colour.paper);
  if (state.tab === "byol") drawPlane(pen, state, found, colour);
  else drawLine(pen, LINES[state.tab], found, colour);
  return pen.toString();
}

function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const EXPORTS = {
  png: () => $("plane").toBlob((blob) => download("linbyol.png", blob)),
  svg: () => download("linbyol.svg", new Blob([svg()], { type: "image/svg+xml" })),
  csv: () => download("linbyol.csv", new Blob([csv()], { type: "text/csv" })),
  copy: () => navigator.clipboard?.writeText(python()),
};

function moveStart(x, y) {
  if (state.tab !== "byol") return set({ x0: x }, "x0");
  const { p, s } = portrait().window, inside = (value, [low, high]) => Math.min(high, Math.max(low, value));
  return set({ p: Number(inside(x, p).toPrecision(5)), s: Number(inside(y, s).toPrecision(5)) }, "p");
}

function listen() {
  const plane = $("plane");
  const drag = (event) => {
    const box = plane.getBoundingClientRect();
    moveStart(...axes.from(event.clientX - box.left, event.clientY - box.top));
  };
  plane.addEventListener("pointerdown", (event) => {
    held = { view: found.window };
    plane.setPointerCapture(event.pointerId);
    drag(event);
  });
  plane.addEventListener("pointermove", (event) => held && drag(event));
  for (const name of ["pointerup", "pointercancel"]) plane.addEventListener(name, () => { held = null; redraw(); });
  plane.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const size = event.shiftKey ? 20 : 200, [wide, tall] = [axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]];
    if (state.tab === "byol") moveStart(state.p + (step[0] * wide) / size, state.s + (step[1] * tall) / size);
    else moveStart(state.x0 + ((step[0] + step[1]) * wide) / size, 0);
  });
  for (const name of SWITCHES) $(name).addEventListener("change", (event) => set({ [name]: event.target.checked }, name === "ema" ? "beta" : ""));
  $("presets").append(...Object.keys(PRESETS).map((name) => new Option(name, name)));
  $("presets").addEventListener("change", (event) => {
    if (!(event.target.value in PRESETS)) return;
    state = admitted({ ...startOf("byol"), ...PRESETS[event.target.value] }, "lambda_s" in PRESETS[event.target.value] ? "" : "sigma2");
    layTab();
  });
  for (const [name, { label }] of Object.entries(TABS)) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    Object.assign(button.dataset, { tab: name });
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", "main");
    button.addEventListener("click", () => { state = startOf(name); layTab(); });
    $("tabs").append(button);
  }
  $("tabs").addEventListener("keydown", (event) => {
    const names = Object.keys(TABS), turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!turn) return;
    const name = names[(names.indexOf(state.tab) + turn + names.length) % names.length];
    state = startOf(name);
    layTab();
    document.querySelector(`#tabs [data-tab="${name}"]`).focus();
  });
  for (const [name, act] of Object.entries(EXPORTS)) $(`export-${name}`).addEventListener("click", act);
  window.addEventListener("hashchange", () => { state = fromHash(location.hash); layTab(); });
  window.addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

window.linbyol = {
  rates, integrate, explain: (y, k, ema = true) => {
    const here = { tab: "byol", ...y, ...k, ema }, tau = ema ? 1 : y.tau, view = planeWindow(here);
    return explain(here, { k: constantsOf(here), tau, edge: separatrix(constantsOf(here), tau, view) });
  },
  get state() {
    if (state.tab !== "byol") {
      const { flow, field } = LINES[state.tab];
      return { tab: state.tab, flow, y: { [field]: state.x0 }, k: lineConstants(state.tab), t1: state.t1, ...found.verdict };
    }
    return { tab: "byol", flow: "modes", y: { p: state.p, s: state.s, tau: state.tau }, k: constantsOf(state), ema: state.ema, t1: state.t1, ...found.verdict };
  },
  frames: [],
};
listen();
layTab();
