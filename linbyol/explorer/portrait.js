// What the plane of (p, s) shows at a held target ratio: roots, stability, and the edge of the basin of collapse.

function fixedPoints(k, tau) {
  const here = { ...k, tau };
  const points = [{ name: "0", p: 0, s: 0 }];
  const { p_minus, p_plus } = printed.roots(here);
  if (k.lambda_s > 0 && Number.isFinite(p_minus)) {
    const [low, high] = tau < 0 ? [p_plus, p_minus] : [p_minus, p_plus];
    if (k.eta > 0) points.push({ name: "p₋", p: low, s: (low * low) / k.alpha_p });
    points.push({ name: "p₊", p: high, s: (high * high) / k.alpha_p });
  }
  for (const point of points) {
    const J = printed.jacobian({ p: point.p, s: point.s, tau }, k);
    const half = (J.pp + J.ss) / 2, root = half * half - (J.pp * J.ss - J.ps * J.sp);
    point.rates = root >= 0 ? [half - Math.sqrt(root), half + Math.sqrt(root)] : [half, half];
    point.kind = point.rates[1] < 0 ? "stable" : point.rates[0] < 0 && point.rates[1] > 0 ? "saddle"
      : point.rates[1] > 0 ? "unstable" : "marginal";
    point.J = J;
  }
  return points;
}

// The field of a mode in (p, ln s, tau): s may fall by hundreds of orders and rise again, as where p > λ_d/λ_s at first.
function logField(k, held) {
  const f = vectorField("modes", k, held);
  return ([p, u, tau]) => {
    const s = Math.exp(Math.max(u, -600)), [dp, ds, dtau] = f([p, s, tau]);
    return [dp, ds / s, dtau];
  };
}

// The stable manifold of the saddle as points [p, s, ds/dp], p ascending; empty where there is no saddle. Its
// parameter is the logarithm of the distance from the saddle, so that it is as fine there as far away.
function separatrix(k, tau, view) {
  const saddle = fixedPoints(k, tau).find((point) => point.name === "p₋");
  if (!saddle || saddle.kind !== "saddle") return [];
  const { J, rates: [rate] } = saddle, f = logField(k, ["tau"]);
  const direction = Math.abs(J.ps) > 1e-14 ? [J.ps, rate - J.pp] : [rate - J.ss, J.sp];
  const wide = view.p[1] - view.p[0], tall = view.s[1], size = (dp, ds) => Math.hypot(dp / wide, ds / tall);
  const start = (1e-6 * saddle.p) / Math.hypot(...direction);
  const back = ([p, u]) => {
    const [dp, du] = f([p, u, tau]), s = Math.exp(u), scale = -size(p - saddle.p, s - saddle.s) / size(dp, s * du);
    return [scale * dp, scale * du];
  };
  const branch = (sign) => {
    const points = [], far = ([p, s]) => p < view.p[0] - wide || p > view.p[1] + wide || s > 3 * tall || s < 1e-250;
    const visit = (t, [p, u]) => {
      const [dp, du] = f([p, u, tau]), s = Math.exp(u);
      points.push([p, s, (s * du) / dp]);
      return far([p, s]) || points.length > 3000;
    };
    const x = [saddle.p + sign * start * direction[0], Math.log(saddle.s + sign * start * direction[1])];
    advance(back, x, 0, 1e3, { rtol: 1e-8, atol: 1e-13, visit, largest: 0.05 });
    return points;
  };
  const both = [branch(1), branch(-1)].sort((a, b) => a.at(-1)[0] - b.at(-1)[0]);
  return [...both[0].reverse(), [saddle.p, saddle.s, direction[1] / direction[0]], ...both[1]];
}

// s on the curve at p, by the cubic that has its slopes; NaN beyond its ends.
function heightAt(curve, p) {
  for (let i = 1; i < curve.length; i++) {
    const [[a, u, m], [b, v, n]] = [curve[i - 1], curve[i]];
    if (!(a <= p && p <= b) || a === b) continue;
    const x = (p - a) / (b - a), w = b - a, [start, end] = [m * w, n * w].map((d) => (Number.isFinite(d) ? d : v - u));
    return u + x * (start + x * (3 * (v - u) - 2 * start - end + x * (start + end - 2 * (v - u))));
  }
  return NaN;
}

// Where a mode ends: "survives", "collapses" or "open", followed until it is caught by 0 or by p₊.
function outcome(y, k, ema, most) {
  const tau = ema ? 1 : y.tau, points = fixedPoints(k, tau);
  const goal = points.find((point) => point.name === "p₊"), barrier = points.find((point) => point.name === "p₋");
  if (y.s === 0) return "collapses";
  let found = "open", count = 0;
  const caught = (t, [p, u, ratio]) => {
    const s = Math.exp(u);
    count += 1;
    const settled = !ema || Math.abs(ratio - 1) < 1e-6 || (k.beta === 0 && Math.abs(ratio - 1) < 1e-12);
    const near = goal && Math.abs(p - goal.p) < 1e-4 * Math.abs(goal.p);
    if (near && settled && (k.eta === 0 ? s > 0 : Math.abs(s - goal.s) < 1e-3 * goal.s)) found = "survives";
    else if (k.eta === 0 && u < -600) found = "collapses";
    else if (!goal && k.eta > 0 && Math.abs(p) + s < 1e-3) found = "collapses";
    else if (barrier && settled && trapped(p, s, k, tau)) found = "collapses";
    else if (p * Math.sign(tau || 1) <= 0 && printed.balance({ p, s, tau }, k).c <= 0) found = "collapses";
    return found !== "open" || count > most;
  };
  const x = [y.p, Math.log(y.s), y.tau];
  if (!caught(0, x)) advance(logField(k, ema ? [] : ["tau"]), x, 0, 1e9, { rtol: 1e-7, atol: 1e-10, visit: caught });
  return found;
}

// A box around 0 that no mode leaves: p ≤ q, s ≤ q²/α_p at q < |p₋| (ṗ < 0 at its right edge, ṡ < 0 in it).
function trapped(p, s, k, tau) {
  const { p_minus, p_plus } = printed.roots({ ...k, tau });
  const q = 0.99 * Math.min(Math.abs(p_minus), Math.abs(p_plus));
  return Math.abs(p) <= q && k.alpha_p * s <= q * q;
}
