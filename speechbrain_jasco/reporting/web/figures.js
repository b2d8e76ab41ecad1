// Modality dependence and best of k, as SVG.
function dependencePanel(title, rows, published) {
  const all = [...rows.map((row, i) => [data.systems[i], row, false]),
    ...published.map((row) => [row.system, {
      dependence: SHARES.map((name) => row.dependence[name]) }, true])];
  const width = 44 + all.length * 78, top = 14, height = 170;
  const svg = draw("svg", { width, height: height + 62, role: "img",
    "aria-label": `Modality dependence, ${title}` });
  const y = (share) => top + (1 - share) * height;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(draw("line", { class: "grid", x1: 32, x2: width, y1: y(share), y2: y(share) }));
    svg.append(draw("text", { class: "tick", x: 26, y: y(share) + 4,
      "text-anchor": "end" }, String(100 * share)));
  }
  all.forEach(([name, row, isPublished], i) => {
    SHARES.forEach((share, s) => {
      const value = row.dependence[s], x = 40 + i * 78 + s * 22;
      if (value === null) return;
      const bar = draw("rect", { class: share, x, width: 19, y: y(value),
        height: value * height, opacity: isPublished ? 0.5 : 1 });
      bar.append(draw("title", {}, `${name}: ${LABELS[share]} ${Math.round(100 * value)} %`));
      svg.append(bar);
      const [low, high] = row.dependence_ci?.[s] ?? [null, null];
      if (low !== null) svg.append(draw("line", { class: "whisker", x1: x + 15, x2: x + 15,
        y1: y(low), y2: y(high) }));
      svg.append(draw("text", { x: x + 8, y: y(value) - 3, "text-anchor": "middle" },
        String(Math.round(100 * value))));
    });
    const label = draw("text", { x: 40 + i * 78 + 31, y: height + top + 18,
      "text-anchor": "middle" }, clip_text(name, 12));
    label.append(draw("title", {}, name));
    svg.append(label);
    if (isPublished) svg.append(draw("text", { class: "tick", "text-anchor": "middle",
      x: 40 + i * 78 + 31, y: height + top + 33 }, "published"));
  });
  const panel = make("div", {}, make("h3", { text: title, dir: "auto" }), svg);
  return panel;
}
function drawDependence() {
  for (const share of SHARES)
    byId("legend").append(make("span", {}, make("i", { class: share }), LABELS[share]));
  for (const [name, rows] of Object.entries(data.charts)) {
    if (name === "panel") continue; // as in the paper
    const last = name === "average" || data.judges.length === 1;
    byId("dependence-panels").append(
      dependencePanel(name, rows, last ? data.published : []));
  }
}
// Lines differ by dash as well as by colour.
const LINES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a8f94"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3"];
function drawCurve() {
  const gated = byId("gate").checked, key = gated ? "best_of_k" : "best_of_k_ungated";
  const rows = data.charts[byId("curve-judge").value];
  const n = Math.max(...rows.map((row) => row[key].length));
  const width = 560, height = 240, left = 36, right = 170;
  const x = (k) => left + (n > 1 ? (k - 1) / (n - 1) : 0.5) * (width - left - right);
  const y = (v) => 12 + (1 - v / 2) * (height - 44);
  const svg = draw("svg", { width, height: Math.max(height, 30 + rows.length * 16), role: "img",
    "aria-label": "Best of k prompts" });
  for (const v of [0, 0.5, 1, 1.5, 2]) {
    svg.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v) }));
    svg.append(draw("text", { class: "tick", x: left - 6, y: y(v) + 4, "text-anchor": "end" }, String(v)));
  }
  for (let k = 1; k <= n; k++) svg.append(draw("text", { class: "tick", x: x(k),
    y: y(0) + 18, "text-anchor": "middle" }, String(k)));
  rows.forEach((row, i) => {
    const colour = LINES[i % LINES.length], dash = DASHES[Math.floor(i / LINES.length) % DASHES.length];
    const points = row[key].map((v, k) => [k + 1, v]).filter(([, v]) => v !== null);
    const ends = row[`${key}_ci`].map(([low, high], k) => [k + 1, low, high]).filter(([, low]) => low !== null);
    if (rows.length <= 4 && ends.length) svg.append(draw("polygon", { fill: colour, opacity: 0.13,
      points: [...ends.map(([k, low]) => `${x(k)},${y(low)}`),
        ...ends.reverse().map(([k, , high]) => `${x(k)},${y(Math.min(high, 2))}`)].join(" ") }));
    svg.append(draw("polyline", { fill: "none", stroke: colour, "stroke-width": 2,
      "stroke-dasharray": dash, points: points.map(([k, v]) => `${x(k)},${y(v)}`).join(" ") }));
    const line = 18 + i * 16;
    svg.append(draw("line", { x1: width - right + 14, x2: width - right + 36, y1: line, y2: line,
      stroke: colour, "stroke-width": 2, "stroke-dasharray": dash }));
    svg.append(draw("text", { x: width - right + 42, y: line + 4 }, clip_text(data.systems[i], 20)));
  });
  byId("curve").replaceChildren(svg);
}
