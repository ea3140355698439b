// What becomes of the mode and by which inequality: the rules of `linbyol explain`.

function explain(state, found, most = 20000) {
  const { k, tau, edge } = found, y = { p: state.p, s: state.s, tau: state.tau };
  const held = decide(y, k, tau, edge, most);
  const verdict = state.ema ? outcome(y, k, true, most) : held.verdict;
  if (verdict === "open") return { verdict, sentence: "Undecided: the mode is neither trapped around 0 nor at p₊ when the page stops following it." };
  if (state.ema && held.verdict !== verdict) {
    const verb = verdict === "survives" ? "lets it survive" : "makes it collapse";
    return { verdict, condition: "moving average", sentence: `The moving average decides: with β = ${number(k.beta, 4)} and a target that starts at τ = ${number(state.tau, 4)} it ${verb}, although at τ = 1 ${held.sentence.replace(/^It/, "it")}` };
  }
  return { ...held, verdict };
}

function decide(y, k, tau, edge, most) {
  const n = (value) => number(value, 4), { p, s } = y, here = { ...k, tau };
  const threshold = printed.threshold(here).eta, roots = printed.roots(here);
  const c0 = printed.balance({ p, s, tau }, k).c, c = Math.abs(c0) <= 1e-12 * Math.max(s, 1e-300) ? 0 : c0;
  const side = Math.sign(tau) || 1, low = Math.abs(roots.p_minus) < Math.abs(roots.p_plus) ? roots.p_minus : roots.p_plus;
  const say = (verdict, condition, sentence) => ({ verdict, condition, sentence });
  if (s === 0) return say("collapses", "encoder", "It collapses: s = 0, and an encoder of zero stays zero.");
  if (k.eta > threshold) return say("collapses", "threshold", `It collapses: η = ${n(k.eta)} > η_c = τ²λ_d²/(4 λ_s) = ${n(threshold)}, so p = 0 is the only fixed point.`);
  if (c <= 0 && side * p <= 0) return say("collapses", "sign", `It collapses: p = ${n(p)} is not on the side of p₊ and c = s − p²/α_p = ${n(c)} ≤ 0, so p never crosses 0.`);
  if (k.eta === 0) {
    if (c > 0) return say("survives", "balance", `It survives: η = 0 and c = s − p²/α_p = ${n(c)} > 0.`);
    const distance = -k.alpha_p * c, goal = ((tau * k.lambda_d) / k.lambda_s) ** 2, dies = distance >= goal;
    return say(dies ? "collapses" : "survives", "balance", `It ${dies ? "collapses" : "survives"}: η = 0 and p² − α_p s = ${n(distance)} ${dies ? "≥" : "<"} (τ λ_d/λ_s)² = ${n(goal)}.`);
  }
  if (c === 0) {
    const dies = side * p < side * low;
    return say(dies ? "collapses" : "survives", "parabola", `It ${dies ? "collapses" : "survives"}: on the parabola, p = ${n(p)} ${dies ? "<" : "≥"} p₋ = ${n(low)}.`);
  }
  const height = heightAt(edge, p);
  const verdict = !Number.isFinite(height) ? outcome({ p, s, tau }, k, false, most) : s < height ? "collapses" : "survives";
  const dies = verdict === "collapses";
  const where = `the stable manifold of the saddle at p₋ = ${n(low)}`;
  return say(verdict, "separatrix", Number.isFinite(height)
    ? `It ${verdict}: s = ${n(s)} ${dies ? "<" : "≥"} ${n(height)}, ${dies ? "below" : "above"} ${where}.`
    : `It ${verdict}: (p, s) = (${n(p)}, ${n(s)}) lies ${dies ? "below" : "above"} ${where}.`);
}
