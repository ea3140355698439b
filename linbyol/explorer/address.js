// The state of the page: its sliders, its presets, and how it stands in the address.

const SLIDERS = {
  eta: { letter: "η", words: "weight decay", from: 0, to: 0.5, step: 0.001, value: 0.05 },
  alpha_p: { letter: "α_p", words: "predictor's relative learning rate", from: 0.1, to: 20, log: true, value: 1 },
  beta: { letter: "β", words: "rate of the moving average", from: 0, to: 3, step: 0.01, value: 0.4 },
  sigma2: { letter: "σ²", words: "variance of the augmentation noise", from: 0, to: 3, step: 0.01, value: 0.25 },
  tau: { letter: "τ", words: "target's ratio, W_a = τ W (at the start, if it moves)", from: -1, to: 2, step: 0.01, value: 1 },
  lambda_d: { letter: "λ_d", words: "eigenvalue of X", from: 0.01, to: 3, step: 0.01, value: 1 },
  lambda_s: { letter: "λ_s", words: "eigenvalue of X + X′", from: 0.01, to: 6, step: 0.01, value: 1.25 },
  p: { letter: "p", words: "start: eigenvalue of W_p", from: -2, to: 4, step: 0.001, value: 0.1 },
  s: { letter: "s", words: "start: eigenvalue of W Wᵀ", from: 0, to: 10, step: 0.0001, value: 0.2 },
  t1: { letter: "t", words: "end of the time axis", from: 1, to: 2000, log: true, value: 60 },
};
const LINES = {
  directset: {
    label: "DirectSet", flow: "directset", field: "lam", letter: "λ", window: [0, 1.5], start: 0.3,
    words: "The predictor is set: p = λ_f λ²ᵅ + ε (arXiv 2110.04947). ε makes collapse unstable, c and η hold a mode down.",
    fixed: { depth: 1, lambda_f: 1, lambda_d: 1 },
    sliders: {
      alpha: { letter: "α", words: "exponent (½ DirectPred, 1 DirectCopy)", from: 0.25, to: 2, step: 0.05, value: 0.5 },
      eps: { letter: "ε", words: "boost", from: 0, to: 1, step: 0.01, value: 0.1 },
      c: { letter: "c", words: "shift inside the power", from: 0, to: 0.5, step: 0.01, value: 0 },
      eta: { letter: "η", words: "weight decay", from: 0, to: 0.5, step: 0.001, value: 0.05 },
      lambda_s: { letter: "λ_s", words: "eigenvalue of X + X′ (λ_d = 1)", from: 1, to: 4, step: 0.01, value: 1.25 },
    },
  },
  isoloss: {
    label: "IsoLoss", flow: "isoloss", field: "lam", letter: "λ", window: [0, 1.5], start: 0.05, beside: ["euclidean"],
    words: "Eigenvalues of E[z zᵀ] under IsoLoss (full) and under the squared distance that it mends (dashed), arXiv 2212.04858: small modes no longer wait.",
    fixed: {},
    sliders: {
      alpha: { letter: "α", words: "exponent of the predictor, Wp = Λᵅ", from: 0.1, to: 2, step: 0.05, value: 1 },
      kappa: { letter: "κ", words: "1 + σ²", from: 1, to: 4, step: 0.01, value: 1.25 },
    },
  },
  cosine: {
    label: "Cosine loss", flow: "cosine", field: "p", letter: "p", window: [0, 1.2], start: 0.3,
    words: "ṗ on s = p² at frozen norms of encoder, predictor and overlap (arXiv 2309.16109): as the norms shrink, the barrier moves away from the mode.",
    fixed: {},
    sliders: {
      encoder: { letter: "N_Φ", words: "√tr F", from: 0.05, to: 3, step: 0.01, value: 1 },
      predictor: { letter: "N_Ψ", words: "√tr(Wp F Wp)", from: 0.05, to: 3, step: 0.01, value: 0.6 },
      overlap: { letter: "T", words: "tr(Wp F)", from: 0, to: 3, step: 0.01, value: 0.3 },
      rho: { letter: "ρ", words: "weight decay", from: 0, to: 0.5, step: 0.001, value: 0.1 },
      kappa: { letter: "κ", words: "1 + σ²", from: 1, to: 4, step: 0.01, value: 1.25 },
    },
  },
  depth: {
    label: "Depth", flow: "directset", field: "lam", letter: "λ", window: [0, 1.5], start: 0.4,
    words: "The encoder is a product of l equal layers and the predictor is set (Theorem 5 of arXiv 2110.04947): depth raises the barrier.",
    fixed: { lambda_f: 1, lambda_d: 1, eps: 0, c: 0 },
    sliders: {
      depth: { letter: "l", words: "layers of the encoder", from: 1, to: 6, step: 1, value: 2 },
      alpha: { letter: "α", words: "exponent of the rule", from: 0.25, to: 2, step: 0.05, value: 0.5 },
      eta: { letter: "η", words: "weight decay", from: 0, to: 0.5, step: 0.001, value: 0.05 },
      lambda_s: { letter: "λ_s", words: "eigenvalue of X + X′ (λ_d = 1)", from: 1, to: 4, step: 0.01, value: 1.25 },
    },
  },
};
for (const one of Object.values(LINES)) {
  one.sliders.x0 = { letter: `${one.letter}₀`, words: "start", from: 0, to: one.window[1], step: 0.001, value: one.start };
  one.sliders.t1 = { letter: "t", words: "end of the time axis", from: 1, to: 2000, log: true, value: 60 };
}
const PRESETS = {
  "Fig. 3, no decay": { eta: 0, p: 0.2, s: 0.9 },
  "Fig. 3, some decay": { eta: 0.05, p: 0.1, s: 0.2 },
  "Fig. 3, too much decay": { eta: 0.25, p: 0.6, s: 0.6 },
  "Fig. 4: the cubic": { eta: 0.1, p: 0.3, s: 0.09 },
  "Fig. 5: the target moves": { ema: true, eta: 0.04, beta: 0.4, tau: 0, p: 0.1, s: 0.3 },
  "Fig. 7: a slow target": { ema: true, eta: 0.02, beta: 0.05, tau: 0, p: 0.3, s: 0.3, t1: 200 },
  "Figs. 8, 9: K decides": { eta: 0.01, tau: 0.5, sigma2: 0.2, p: 0.05, s: 0.05 },
  "Fig. 10: Appendix D": { ema: true, eta: 0, beta: 1, lambda_d: 0.5, lambda_s: 1, tau: 0.5, p: 0.2, s: 0.3 },
  "On the edge": { eta: 0.1, p: 0.1, s: 0.0905 },
};
const TABS = { byol: { label: "BYOL", sliders: SLIDERS }, ...LINES };
const SWITCHES = ["ema", "past"];

const startOf = (tab) => ({
  tab, ema: false, past: false,
  ...Object.fromEntries(Object.entries(TABS[tab].sliders).map(([name, slider]) => [name, slider.value])),
});

// The state with every number inside its slider and λ_s no smaller than λ_d.
function admitted(state, moved = "") {
  for (const [name, { from, to }] of Object.entries(TABS[state.tab].sliders)) {
    state[name] = Math.min(to, Math.max(from, Number.isFinite(state[name]) ? state[name] : TABS[state.tab].sliders[name].value));
  }
  if (state.tab !== "byol") return state;
  if (moved === "sigma2") state.lambda_s = Math.min(SLIDERS.lambda_s.to, state.lambda_d + state.sigma2);
  if (moved === "lambda_s") state.lambda_d = Math.min(state.lambda_d, state.lambda_s);
  state.lambda_s = Math.max(state.lambda_s, state.lambda_d);
  state.sigma2 = Number((state.lambda_s - state.lambda_d).toPrecision(12));
  return state;
}

function toHash(state) {
  const usual = startOf(state.tab), parts = [`tab=${state.tab}`];
  for (const name of Object.keys(TABS[state.tab].sliders)) {
    if (name !== "sigma2" && state[name] !== usual[name]) parts.push(`${name}=${state[name]}`);
  }
  for (const name of SWITCHES) if (state[name]) parts.push(`${name}=1`);
  return `#${parts.join("&")}`;
}

// Nonsense in the address is passed over, number by number.
function fromHash(hash) {
  let words;
  try {
    words = new URLSearchParams(hash.replace(/^#/, ""));
  } catch {
    words = new URLSearchParams();
  }
  const tab = Object.hasOwn(TABS, words.get("tab") ?? "") ? words.get("tab") : "byol", state = startOf(tab);
  for (const name of Object.keys(TABS[tab].sliders)) {
    const text = words.get(name), value = Number(text);
    if (text !== null && text.trim() !== "" && Number.isFinite(value)) state[name] = value;
  }
  for (const name of SWITCHES) state[name] = words.get(name) === "1";
  return admitted(state, words.has("sigma2") && !words.has("lambda_s") ? "sigma2" : "");
}
