// Dormand and Prince 5(4), steps by the error per unit of tolerance, and what needs a trajectory.

const PAIR = {
  a: [[], [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]],
  e: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
};

// From x at t0 to t1 (either way); visit(t, x) after each step, true to stop. The last x, or null where it breaks off.
function advance(f, x, t0, t1, { rtol = 1e-8, atol = 1e-11, visit = null, most = 200000, first = 1e-2, largest = Infinity } = {}) {
  const way = Math.sign(t1 - t0), n = x.length;
  if (way === 0) return x;
  let t = t0, slope = f(x), h = Math.min(Math.abs(t1 - t0), first, largest);
  for (let step = 0; step < most; step++) {
    const last = h >= Math.abs(t1 - t);
    const dt = last ? t1 - t : way * h;
    const stages = [slope];
    let next = x;
    for (let i = 1; i < 7; i++) {
      const row = PAIR.a[i];
      next = x.map((value, j) => value + dt * row.reduce((sum, a, m) => sum + a * stages[m][j], 0));
      stages.push(f(next));
    }
    let error = 0;
    for (let j = 0; j < n; j++) {
      const off = dt * PAIR.e.reduce((sum, e, m) => sum + e * stages[m][j], 0);
      error += (off / (atol + rtol * Math.max(Math.abs(x[j]), Math.abs(next[j])))) ** 2 / n;
    }
    error = Math.sqrt(error);
    if (error <= 1) {
      t = last ? t1 : t + dt;
      x = next;
      slope = stages[6];
      if ((visit && visit(t, x)) || last) return x;
    }
    h = Math.min(largest, Math.abs(dt) * (Number.isFinite(error) ? Math.min(5, Math.max(0.2, 0.9 * error ** -0.2)) : 0.2));
    if (!(h > 1e-14 * Math.max(1, Math.abs(t)))) return null;
  }
  return null;
}

const NAMES = { modes_flow: "modes", amplitudes_flow: "amplitudes", parabola_flow: "parabola", directset_flow: "directset" };

// The printed flow whose constants k has.
function variant(name, k) {
  const flow = printed.flows[NAMES[name] ?? name];
  if (!flow) throw new Error(`No flow is called ${name}; there are ${Object.keys(printed.flows).join(", ")}.`);
  const fits = (one) => one.constants.every((field) => field in k || field in one.defaults || flow.state.includes(field));
  const found = flow.variants.find(fits);
  if (!found) throw new Error(`The flow ${name} needs ${flow.variants.map((v) => v.constants.join(", ")).join(" or ")}.`);
  return { state: flow.state, ...found };
}

function rates(name, y, k) {
  const found = variant(name, k);
  return found.rates(y, { ...found.defaults, ...k });
}

// A function of the state as a list; what is in `held` does not move.
function vectorField(name, k, held = []) {
  const found = variant(name, k), constants = { ...found.defaults, ...k };
  const names = found.state, still = names.map((field) => held.includes(field));
  return (x) => {
    const moved = found.rates(Object.fromEntries(names.map((field, i) => [field, x[i]])), constants);
    return names.map((field, i) => (still[i] ? 0 : moved[field]));
  };
}

// States at ts, the first that of y; a list of objects that has a list for each field too, as a trajectory of linbyol.
function integrate(name, y, k, ts, { rtol = 1e-12, atol = 1e-14, held = [] } = {}) {
  const { state } = variant(name, k), f = vectorField(name, k, held);
  let x = state.map((field) => Number(y[field]));
  const rows = ts.map((t, i) => {
    if (i && x) x = advance(f, x, ts[i - 1], t, { rtol, atol, first: Math.abs(t - ts[i - 1]) });
    return Object.fromEntries(state.map((field, j) => [field, x ? x[j] : NaN]));
  });
  for (const field of state) rows[field] = rows.map((row) => row[field]);
  return rows;
}

// Where the line through two zeros of opposite sign of f is zero: every sign change on a grid, refined by bisection.
function zeros(f, low, high, number = 400) {
  const found = [];
  let left = low, at = f(left);
  for (let i = 1; i <= number; i++) {
    const right = low + ((high - low) * i) / number, there = f(right);
    if (at === 0) found.push(left);
    else if (at * there < 0) {
      let [a, b] = [left, right];
      for (let n = 0; n < 60; n++) {
        const middle = (a + b) / 2;
        if (at * f(middle) <= 0) b = middle;
        else a = middle;
      }
      found.push((a + b) / 2);
    }
    [left, at] = [right, there];
  }
  if (at === 0) found.push(left);
  return found;
}
