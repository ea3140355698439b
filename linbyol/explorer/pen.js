// Two pens with the same strokes, one on a canvas and one that writes SVG, and axes for either.

class CanvasPen {
  constructor(canvas) {
    const scale = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    const [w, h] = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    this.ctx = canvas.getContext("2d");
    this.ctx.setTransform(scale, 0, 0, scale, 0, 0);
    this.ctx.clearRect(0, 0, this.width, this.height);
  }
  path(points) {
    this.ctx.beginPath();
    points.forEach(([x, y], i) => (i ? this.ctx.lineTo(x, y) : this.ctx.moveTo(x, y)));
  }
  line(points, { color, width = 1.5, dash = [] }) {
    this.path(points);
    Object.assign(this.ctx, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
    this.ctx.setLineDash(dash);
    this.ctx.stroke();
    this.ctx.setLineDash([]);
  }
  area(points, color) {
    this.path(points);
    this.ctx.fillStyle = color;
    this.ctx.fill();
  }
  dot([x, y], radius, { color, hollow = null }) {
    this.ctx.beginPath();
    this.ctx.arc(x, y, radius, 0, 2 * Math.PI);
    this.ctx.fillStyle = hollow ?? color;
    this.ctx.fill();
    Object.assign(this.ctx, { strokeStyle: color, lineWidth: 1.5 });
    this.ctx.stroke();
  }
  text([x, y], words, { color, align = "center", baseline = "middle", size = 12 }) {
    Object.assign(this.ctx, { fillStyle: color, font: `${size}px system-ui, sans-serif`, textAlign: align, textBaseline: baseline });
    this.ctx.fillText(words, x, y);
  }
  clip({ left, top, width, height }) {
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(left, top, width, height);
    this.ctx.clip();
  }
  unclip() {
    this.ctx.restore();
  }
}

class SvgPen {
  constructor(width, height, background) {
    Object.assign(this, { width, height, parts: [`<rect width="100%" height="100%" fill="${background}"/>`], clips: 0 });
  }
  points(points) {
    return points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ");
  }
  line(points, { color, width = 1.5, dash = [] }) {
    this.parts.push(`<polyline points="${this.points(points)}" fill="none" stroke="${color}" stroke-width="${width}"` +
      ` stroke-linejoin="round"${dash.length ? ` stroke-dasharray="${dash}"` : ""}/>`);
  }
  area(points, color) {
    this.parts.push(`<polygon points="${this.points(points)}" fill="${color}"/>`);
  }
  dot([x, y], radius, { color, hollow = null }) {
    this.parts.push(`<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="${radius}" fill="${hollow ?? color}" stroke="${color}" stroke-width="1.5"/>`);
  }
  text([x, y], words, { color, align = "center", baseline = "middle", size = 12 }) {
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    const drop = { top: size * 0.8, middle: size * 0.35, bottom: -size * 0.2 }[baseline];
    this.parts.push(`<text x="${x.toFixed(2)}" y="${(y + drop).toFixed(2)}" fill="${color}" font-size="${size}" text-anchor="${anchor}">${words}</text>`);
  }
  clip({ left, top, width, height }) {
    this.clips += 1;
    this.parts.push(`<clipPath id="c${this.clips}"><rect x="${left}" y="${top}" width="${width}" height="${height}"/></clipPath><g clip-path="url(#c${this.clips})">`);
  }
  unclip() {
    this.parts.push("</g>");
  }
  toString() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" font-family="system-ui, sans-serif">${this.parts.join("\n")}</svg>`;
  }
}

// The colours of the page, as its style has them now.
function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "soft", "faint", "paper", "p", "s", "tau", "K", "basin", "path", "past", "edge"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

class Axes {
  constructor(pen, x, y, { labels, title = "", colour }) {
    Object.assign(this, { pen, x, y, colour });
    this.box = { left: 46, top: title ? 24 : 10, width: pen.width - 58, height: pen.height - (title ? 24 : 10) - 34 };
    const { left, top, width, height } = this.box;
    for (const value of ticks(...x, Math.max(2, Math.floor(width / 80)))) {
      const [place] = this.at(value, 0);
      pen.line([[place, top], [place, top + height]], { color: colour.faint, width: 1 });
      pen.text([place, top + height + 5], number(value), { color: colour.soft, baseline: "top", size: 11 });
    }
    for (const value of ticks(...y, Math.max(2, Math.floor(height / 45)))) {
      const [, place] = this.at(0, value);
      pen.line([[left, place], [left + width, place]], { color: colour.faint, width: 1 });
      pen.text([left - 6, place], number(value), { color: colour.soft, align: "right", size: 11 });
    }
    pen.line([[left, top], [left, top + height], [left + width, top + height]], { color: colour.soft, width: 1 });
    pen.text([left + width, top + height + 19], labels[0], { color: colour.ink, align: "right", baseline: "top" });
    pen.text([left + 6, top + 4], labels[1], { color: colour.ink, align: "left", baseline: "top" });
    if (title) pen.text([left, 11], title, { color: colour.ink, align: "left" });
  }
  at(x, y) {
    const { left, top, width, height } = this.box;
    const clamp = (value) => Math.min(1e5, Math.max(-1e5, value));
    return [clamp(left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * width),
      clamp(top + height - ((y - this.y[0]) / (this.y[1] - this.y[0])) * height)];
  }
  from(px, py) {
    const { left, top, width, height } = this.box;
    return [this.x[0] + ((px - left) / width) * (this.x[1] - this.x[0]),
      this.y[0] + ((top + height - py) / height) * (this.y[1] - this.y[0])];
  }
  inside(draw) {
    this.pen.clip(this.box);
    draw();
    this.pen.unclip();
  }
  line(points, how) {
    let run = [];
    for (const point of [...points, [NaN, NaN]]) {
      if (point.every(Number.isFinite)) run.push(this.at(...point));
      else {
        if (run.length > 1) this.pen.line(run, how);
        run = [];
      }
    }
  }
  area(points, colour) {
    this.pen.area(points.map((point) => this.at(...point)), colour);
  }
  dot(point, radius, how) {
    this.pen.dot(this.at(...point), radius, how);
  }
  text(point, words, how) {
    const [x, y] = this.at(...point);
    this.pen.text([x + (how.dx ?? 0), y + (how.dy ?? 0)], words, how);
  }
}

// Round numbers between two ends, about as many as asked.
function ticks(low, high, number) {
  const raw = (high - low) / number, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found;
}

function number(value, digits = 3) {
  if (value === 0 || Math.abs(value) < 1e-300) return "0";
  const text = Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  return String(Number(text)).replace("-", "−");
}
