// The plane of (p, s): basin, arrows, nullclines, parabola, fixed points, and the path through the start.

function planeWindow(state) {
  const goal = Math.abs((state.tau || 1) * (state.lambda_s > 0 ? state.lambda_d / state.lambda_s : 1)) || 0.5;
  const reach = Math.max(1, state.ema ? Math.max(1, goal) : goal);
  const mirrored = state.tau < 0 && !state.ema;
  const wide = Math.max(1.25 * Math.min(reach, 3), 1.05 * Math.abs(state.p));
  const tall = Math.max((1.7 * Math.min(goal, 3) ** 2) / state.alpha_p, 1.1 * state.s, 1e-3);
  return { p: mirrored ? [-wide, 0.35 * wide] : [Math.min(-0.35 * wide, 1.1 * state.p), wide], s: [0, tall] };
}

function drawPlane(pen, state, found, colour) {
  const { window: view, k, tau } = found;
  const axes = new Axes(pen, view.p, view.s, { labels: ["p", "s"], colour });
  axes.inside(() => {
    drawBasin(axes, found, colour);
    drawArrows(axes, k, tau, colour);
    const grid = Array.from({ length: 301 }, (_, i) => view.p[0] + ((view.p[1] - view.p[0]) * i) / 300);
    const zero = grid.map((p) => [p, k.eta > 0 ? printed.nullcline({ p, tau }, k).s : NaN]);
    axes.line(zero.map(([p, s]) => [p, s >= 0 && s < 4 * view.s[1] ? s : NaN]), { color: colour.p, dash: [6, 4] });
    if (k.eta === 0) axes.line([[tau * k.lambda_d / k.lambda_s, 0], [tau * k.lambda_d / k.lambda_s, view.s[1]]], { color: colour.p, dash: [6, 4] });
    for (const p of Object.values(printed.roots({ ...k, tau }))) {
      axes.line([[p, view.s[0]], [p, view.s[1]]], { color: colour.s, dash: [2, 3] });
    }
    axes.line(grid.map((p) => [p, (p * p) / k.alpha_p]), { color: colour.soft, width: 1 });
    axes.line(found.edge.map(([p, s]) => [p, s]), { color: colour.edge, width: 2 });
    if (state.past) axes.line(found.past.map((row) => [row.p, row.s]), { color: colour.past, width: 2, dash: [3, 3] });
    axes.line(found.path.map((row) => [row.p, row.s]), { color: colour.path, width: 2.5 });
    for (const point of found.points) {
      axes.dot([point.p, point.s], 5, { color: colour.ink, hollow: point.kind === "stable" ? null : colour.paper });
      axes.text([point.p, point.s], point.name, { color: colour.ink, align: "left", baseline: "bottom", dx: 7, dy: -4 });
    }
    axes.dot([state.p, state.s], 8, { color: colour.path, hollow: colour.paper });
    axes.dot([state.p, state.s], 3, { color: colour.path });
  });
  return axes;
}

// Shaded: what ends at 0. Without a barrier that is all or nothing; with one, what lies under its stable manifold.
function drawBasin(axes, found, colour) {
  const [left, right] = axes.x, [bottom, top] = axes.y;
  if (found.allCollapse) axes.area([[left, bottom], [right, bottom], [right, top], [left, top]], colour.basin);
  if (found.edge.length < 2) return;
  const shape = [...found.edge], first = shape[0], last = shape.at(-1);
  axes.area([[first[0], Math.max(first[1], 0)], ...shape, [last[0], bottom],
    [Math.min(left, first[0]), bottom], [Math.min(left, first[0]), first[1]]], colour.basin);
}

function drawArrows(axes, k, tau, colour) {
  const columns = 17, rows = 13, length = 11, { width, height } = axes.box;
  const wide = axes.x[1] - axes.x[0], tall = axes.y[1] - axes.y[0];
  const f = vectorField("modes", k, ["tau"]);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      const p = axes.x[0] + (wide * (i + 0.5)) / columns, s = axes.y[0] + (tall * (j + 0.5)) / rows;
      const [dp, ds] = f([p, s, tau]), dx = (dp / wide) * width, dy = (-ds / tall) * height, size = Math.hypot(dx, dy);
      if (!(size > 0)) continue;
      const [x, y] = axes.at(p, s), [u, v] = [(dx / size) * length / 2, (dy / size) * length / 2];
      const head = ([a, b]) => [x + u - 0.45 * (a * u - b * v), y + v - 0.45 * (b * u + a * v)];
      axes.pen.line([[x - u, y - v], [x + u, y + v]], { color: colour.soft, width: 1 });
      axes.pen.line([head([0.87, 0.5]), [x + u, y + v], head([0.87, -0.5])], { color: colour.soft, width: 1 });
    }
  }
}
