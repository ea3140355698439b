// Curves: p, s, tau and K in time, the bifurcation diagram, the cubic, and the line of a flow with one coordinate.

function range(values, low = 0, high = 0) {
  const real = values.filter(Number.isFinite), a = Math.min(low, ...real), b = Math.max(high, ...real);
  const pad = (b - a) * 0.06 || 0.5;
  return [a === low && low === 0 ? a : a - pad, b + pad];
}

function drawTime(pen, rows, fields, colour, title) {
  const { times } = rows, all = fields.flatMap(({ field }) => rows.map((row) => row[field]));
  const axes = new Axes(pen, [times[0], times.at(-1)], range(all), { labels: ["t", ""], title, colour });
  axes.inside(() => {
    for (const { field, color, dash = [] } of fields) {
      axes.line(rows.map((row, i) => [times[i], row[field]]), { color, width: 2, dash });
    }
  });
  let x = axes.box.left + axes.box.width;
  for (const { letter, color } of [...fields].reverse()) {
    pen.text([x, 11], letter, { color, align: "right", size: 13 });
    x -= 22;
  }
}

function drawBifurcation(pen, state, found, colour) {
  const { k, tau } = found, threshold = printed.threshold({ ...k, tau }).eta;
  const most = Math.max(1.35 * threshold, 1.1 * k.eta, 1e-3), goal = (tau * k.lambda_d) / (k.lambda_s || 1);
  const axes = new Axes(pen, [0, most], range([1.1 * goal, 0]), { labels: ["η", "p*"], title: "Fixed points against the decay", colour });
  const grid = Array.from({ length: 161 }, (_, i) => threshold * (1 - (1 - i / 160) ** 2));
  axes.inside(() => {
    axes.line([[0, 0], [most, 0]], { color: colour.path, width: 2 });
    const both = grid.map((eta) => [eta, printed.roots({ ...k, tau, eta })]);
    axes.line(both.map(([eta, roots]) => [eta, tau < 0 ? roots.p_minus : roots.p_plus]), { color: colour.path, width: 2 });
    axes.line(both.map(([eta, roots]) => [eta, tau < 0 ? roots.p_plus : roots.p_minus]), { color: colour.edge, width: 2, dash: [5, 4] });
    axes.line([[k.eta, axes.y[0]], [k.eta, axes.y[1]]], { color: colour.ink, width: 1 });
    for (const point of found.points) axes.dot([k.eta, point.p], 4, { color: colour.ink, hollow: point.kind === "stable" ? null : colour.paper });
    axes.text([threshold, 0], `η_c = ${number(threshold)}`, { color: colour.ink, align: "right", baseline: "bottom", dx: -4, dy: -6 });
  });
}

function drawCubic(pen, state, found, colour) {
  const { k, tau, window: view } = found, here = { ...k, tau };
  const grid = Array.from({ length: 201 }, (_, i) => view.p[0] + ((view.p[1] - view.p[0]) * i) / 200);
  const values = grid.map((p) => printed.cubic({ p }, here).rate);
  const inner = values.filter((_, i) => Math.abs(grid[i]) <= Math.max(...found.points.map((point) => Math.abs(point.p)), 0.3) * 1.1);
  const axes = new Axes(pen, view.p, range(inner, -1e-9, 1e-9), { labels: ["p", "ṗ"], title: "ṗ on the parabola s = p²/α_p", colour });
  axes.inside(() => {
    axes.line([[view.p[0], 0], [view.p[1], 0]], { color: colour.soft, width: 1 });
    axes.line(grid.map((p, i) => [p, values[i]]), { color: colour.p, width: 2 });
    for (const point of found.points) {
      const slope = printed.cubic({ p: point.p + 1e-6 }, here).rate;
      axes.dot([point.p, 0], 4, { color: colour.ink, hollow: slope < 0 ? null : colour.paper });
    }
    axes.dot([state.p, printed.cubic({ p: state.p }, here).rate], 5, { color: colour.path });
  });
}

// The rate of a flow of one coordinate against it, its fixed points, and the start, which can be dragged.
function drawLine(pen, one, found, colour) {
  const reach = 1.15 * Math.max(found.start, ...found.points.map((point) => point.x), 0.2 * one.window[1]);
  const near = found.values.filter((_, i) => found.grid[i] <= reach);
  const axes = new Axes(pen, one.window, range(near, -1e-9, 1e-9), { labels: [one.letter, `d${one.letter}/dt`], colour });
  axes.inside(() => {
    axes.line([[one.window[0], 0], [one.window[1], 0]], { color: colour.soft, width: 1 });
    for (const other of found.others) axes.line(other.points, { color: colour.soft, width: 1.5, dash: [5, 4] });
    axes.line(found.grid.map((x, i) => [x, found.values[i]]), { color: colour.p, width: 2.5 });
    for (const point of found.points) {
      axes.dot([point.x, 0], 5, { color: colour.ink, hollow: point.stable ? null : colour.paper });
      axes.text([point.x, 0], number(point.x), { color: colour.ink, dy: 14, align: point.x === one.window[0] ? "left" : "center", dx: point.x === one.window[0] ? 5 : 0 });
    }
    axes.dot([found.start, 0], 8, { color: colour.path, hollow: colour.paper });
    axes.dot([found.start, 0], 3, { color: colour.path });
  });
  return axes;
}
