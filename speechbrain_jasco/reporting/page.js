"use strict";
// The data are texts of models and judges: they go into the page by
// textContent and setAttribute alone, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SHARES = ["audio", "both", "speech"];
const LABELS = { audio: "audio-dependent (A)", both: "both-dependent (A-S)",
  speech: "speech-dependent (S)" };
const root = document.documentElement;

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}
function draw(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes))
    node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}
const clip_text = (text, n) => [...text].length > n
  ? [...text].slice(0, n - 1).join("") + "\u2026" : text;
function options(select, entries) {
  for (const [value, text] of entries)
    select.append(make("option", { value, text: clip_text(text, 60) }));
}
const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* no storage */ } };

// ---- light, dark, colours ------------------------------------------------
function setTheme(theme) {
  root.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}
function toggleTheme() {
  setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  store("jasco-theme", root.dataset.theme);
}
const night = matchMedia("(prefers-color-scheme: dark)");
setTheme(stored("jasco-theme") ?? (night.matches ? "dark" : "light"));
night.addEventListener("change", () => {
  if (!stored("jasco-theme")) setTheme(night.matches ? "dark" : "light");
});
byId("theme").addEventListener("click", toggleTheme);
byId("colours").addEventListener("change", (event) => {
  root.dataset.colours = event.target.value;
});

// ---- figures -------------------------------------------------------------
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
    if (name === "panel" && !data.judges.includes("panel")) continue;
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

// ---- answers and what holds of them ----------------------------------------
const modeNotes = new Map(data.modes.map(([system, judge, id, prompt, why]) =>
  [JSON.stringify([system, judge, id, prompt]), why]));
const modeNote = (s, j, c, p) => modeNotes.get(
  JSON.stringify([data.systems[s], data.judges[j], data.clips[c].id, p]));
const scored = (v) => v && v[0] === "ok" && v[2] === "both" && v[1] > 0;
const TESTS = {
  all: () => true,
  failures: (vs) => !vs.some(scored),
  disagreements: (vs) => new Set(vs.filter((v) => v && v[0] === "ok")
    .map((v) => `${v[1]} ${v[2]}`)).size > 1,
  audio: (vs) => vs.some((v) => v?.[2] === "audio"),
  speech: (vs) => vs.some((v) => v?.[2] === "speech"),
  both: (vs) => vs.some((v) => v?.[2] === "both"),
  unjudged: (vs) => vs.some((v) => !v || v[0] !== "ok"),
  modes: (vs, js, s, c, p) => js.some((j) => modeNote(s, j, c, p) !== undefined),
};
const EMPTY = { clip: "", show: "all", system: "", judge: "", text: "" };
let state = { ...EMPTY };

function judgesOf() {
  const chosen = data.judges.indexOf(state.judge);
  // Disagreement is among all judges, whichever is chosen.
  return chosen < 0 || state.show === "disagreements" ? data.judges.map((_, j) => j) : [chosen];
}
function promptsThatMatch(s, c, js) {
  const test = TESTS[state.show] ?? TESTS.all, found = [];
  const query = state.text.toLowerCase();
  const inClip = query === "" || clipWords[c].includes(query);
  data.prompts[s].forEach((_, p) => {
    const verdicts = js.map((j) => data.verdicts[s][j][c][p]);
    const here = inClip || (data.answers[s][c][p] ?? "").toLowerCase().includes(query);
    if (here && test(verdicts, js, s, c, p)) found.push(p);
  });
  return found;
}
const clipWords = data.clips.map((clip) => [clip.id, clip.audio_sound, clip.spoken_text,
  clip.audio_only_target, clip.speech_only_target, clip.tgt_text, clip.target_keywords]
  .join("\n").toLowerCase());
function matches() {
  const js = judgesOf(), only = data.systems.indexOf(state.system);
  return data.clips.map((_, c) => data.systems.map((_, s) =>
    only >= 0 && s !== only ? [] : promptsThatMatch(s, c, js)));
}

// ---- heat map ---------------------------------------------------------------
function bestOf(s, c) {
  const j = data.judges.indexOf(byId("map-judge").value);
  if (j >= 0) return data.best[s][j][c];
  const values = data.best[s].map((row) => row[c]).filter((v) => v !== null);
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
}
function drawHeat() {
  const head = make("tr", {}, make("th", { scope: "col", text: "clip" }),
    ...data.systems.map((name) => make("th", { scope: "col", text: name, title: name, dir: "auto" })));
  const body = make("tbody");
  data.clips.forEach((clip, c) => {
    const row = make("tr", {}, make("th", { scope: "row", dir: "auto", title: clip.tgt_text,
      text: `${clip.id} ${clip_text(clip.tgt_text, 30)}` }));
    data.systems.forEach((name, s) => {
      const value = bestOf(s, c);
      const cell = make("button", { type: "button", "data-clip": c, "data-system": s,
        tabindex: s === 0 ? 0 : -1,
        title: `clip ${clip.id}, ${name}`, text: value === null ? "n/a" : String(+value.toFixed(2)),
        class: value === null ? "none" : value > 1.2 ? "strong" : "" });
      if (value !== null) cell.style.setProperty("--v", 50 * value);
      row.append(make("td", {}, cell));
    });
    body.append(row);
  });
  byId("heat").replaceChildren(make("table", { class: "heat" }, make("thead", {}, head), body));
}
byId("heat").addEventListener("click", (event) => {
  const cell = event.target.closest("button");
  if (!cell) return;
  change({ ...EMPTY, clip: data.clips[cell.dataset.clip].id,
    system: data.systems.length > 1 ? data.systems[cell.dataset.system] : "" });
  byId("clips").scrollIntoView();
});
byId("heat").addEventListener("keydown", (event) => {
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  const cell = event.target.closest("button");
  if (!step || !cell) return;
  event.preventDefault();
  byId("heat").querySelector(`[data-clip="${+cell.dataset.clip + step[0]}"]` +
    `[data-system="${+cell.dataset.system + step[1]}"]`)?.focus();
});

// ---- one clip -----------------------------------------------------------------
function drawSound(canvas, picture, part) {
  const { columns, bands, peaks } = picture;
  const bytes = Uint8Array.from(atob(picture.mel), (char) => char.charCodeAt(0));
  const scale = 3, tall = bands * scale;
  canvas.width = columns * scale; canvas.height = tall + 48;
  const context = canvas.getContext("2d");
  for (let b = 0; b < bands; b++) for (let t = 0; t < columns; t++) {
    const v = bytes[b * columns + t] / 255;
    context.fillStyle = `rgb(${255 * Math.min(1, 1.6 * v)},${255 * v ** 1.8},${110 * v + 90 * v * (1 - v)})`;
    context.fillRect(t * scale, 48 + tall - (b + 1) * scale, scale, scale);
  }
  context.fillStyle = "#9cc9f5";
  peaks.forEach((peak, t) => context.fillRect(t * scale, 24 - 0.22 * peak, scale, Math.max(1, 0.44 * peak)));
  const still = context.getImageData(0, 0, canvas.width, canvas.height);
  return (share) => {
    context.putImageData(still, 0, 0);
    context.fillStyle = "#ffffff";
    context.fillRect(share * canvas.width, 0, 2, canvas.height);
  };
}
function player(clip) {
  const box = make("div", { class: "player" });
  if (clip.silent !== undefined) {
    box.append(make("p", { class: "untrusted", text: `No recording to play: ${clip.silent}` }));
    return box;
  }
  const canvas = make("canvas", { role: "img", "aria-label": "Waveform above, spectrogram below" });
  const audio = make("audio", { controls: "", preload: "metadata", src: clip.audio });
  const moved = drawSound(canvas, clip.picture);
  const follow = () => {
    moved(audio.currentTime / clip.picture.seconds);
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
  audio.addEventListener("seeked", follow);
  audio.addEventListener("error", () => box.append(make("p", { class: "why untrusted",
    text: `No recording to play: it was at ${clip.audio} when the report was written.` })));
  canvas.addEventListener("click", (event) => {
    audio.currentTime = event.offsetX / canvas.clientWidth * clip.picture.seconds;
  });
  box.append(canvas, audio);
  return box;
}
function verdictNode(s, j, c, p) {
  const verdict = data.verdicts[s][j][c][p];
  const node = make("div", { class: "verdict" });
  const [status, rating, orientation, why] = verdict ?? ["no_prediction", null, null, ""];
  const says = status === "ok" ? `${rating} ${orientation ?? "?"}` : status.replace("_", " ");
  const known = SHARES.includes(orientation) ? `on-${orientation}` : "";
  node.append(make("span", { class: `chip ${known}`, text: says }),
    make("span", { class: "who", dir: "auto", text: data.judges[j] }));
  if (why) node.append(" ", make("details", {}, make("summary", { text: "why" }),
    make("div", { class: "untrusted", dir: "auto", text: why })));
  const note = modeNote(s, j, c, p);
  if (note !== undefined) node.append(make("div", { class: "why untrusted",
    text: `Modes differ: ${note}` }));
  return node;
}
function answersNode(s, c, prompts) {
  const box = make("div", { class: "answers" }, make("h3", { text: data.systems[s], dir: "auto" }));
  for (const p of prompts) {
    const answer = data.answers[s][c][p];
    const said = make("div", { class: "said" }, ...data.judges.map((_, j) => verdictNode(s, j, c, p)));
    box.append(make("div", { class: "answer" },
      make("span", { class: "number", text: String(p + 1), title: data.prompts[s][p] }),
      answer === null ? make("div", { class: "muted", text: "no answer" })
        : make("div", { class: "untrusted", dir: "auto", text: answer }), said));
  }
  return box;
}
const FACTS = [["audio_sound", "Sound"], ["spoken_text", "Words"], ["tgt_text", "Reference: both"],
  ["audio_only_target", "Reference: sound alone"], ["speech_only_target", "Reference: words alone"],
  ["target_keywords", "Key words"]];
function drawClip(c, found) {
  const clip = data.clips[c], facts = make("dl", { class: "facts" });
  for (const [key, label] of FACTS) facts.append(make("dt", { text: label }),
    make("dd", { class: "untrusted", dir: "auto", text: clip[key] }));
  const questions = make("details", {}, make("summary", { text: "The prompts" }),
    make("ol", {}, ...data.prompts[0].map((text) => make("li", { class: "untrusted", dir: "auto", text }))));
  byId("clip").replaceChildren(make("h3", { text: `Clip ${clip.id}`, dir: "auto" }), player(clip),
    facts, questions, ...found.flatMap((ps, s) => ps.length ? [answersNode(s, c, ps)] : []));
}

// ---- filters, addresses, keys ---------------------------------------------------
let listed = [];
function update() {
  for (const key of ["show", "system", "judge", "text"])
    if (byId(key).value !== state[key]) byId(key).value = state[key];
  const found = matches();
  listed = data.clips.map((_, c) => c).filter((c) => found[c].some((ps) => ps.length));
  const n = listed.reduce((sum, c) => sum + found[c].reduce((a, ps) => a + ps.length, 0), 0);
  byId("count").textContent = `${n} answers, ${listed.length} clips`;
  let current = data.clips.findIndex((clip) => clip.id === state.clip);
  const unknown = current < 0 && state.clip !== "";
  if (current < 0 && listed.length) current = listed[0];
  byId("clip-list").replaceChildren(...listed.map((c) => {
    const size = found[c].reduce((a, ps) => a + ps.length, 0);
    return make("li", {}, make("button", { type: "button", "data-clip": c,
      "aria-current": String(c === current) }, make("span", { dir: "auto",
      text: `${data.clips[c].id} ${clip_text(data.clips[c].tgt_text, 40)} ` }),
      make("small", { text: `(${size})` })));
  }));
  // scrollIntoView would move the whole page too.
  const list = byId("clip-list"), chosen = list.querySelector("[aria-current=true]");
  if (chosen) list.scrollTop = chosen.offsetTop - list.clientHeight / 2;
  if (unknown) byId("clip").replaceChildren(make("p", { class: "untrusted",
    text: `There is no clip ${clip_text(state.clip, 80)} in this report.` }));
  else if (current < 0) byId("clip").replaceChildren(make("p", { text: "No answer is like that." }));
  else drawClip(current, found[current]);
  return unknown ? -1 : current;
}
let shown = -1;
function change(part) {
  state = { ...state, ...part };
  const parts = Object.entries(state).filter(([key, value]) => value !== EMPTY[key]);
  history.replaceState(null, "", "#" + new URLSearchParams(parts));
  shown = update();
}
function readAddress() {
  const hash = location.hash.slice(1);
  if (hash !== "" && !hash.includes("=")) return false; // a section's name
  const given = new URLSearchParams(hash);
  state = { ...EMPTY };
  for (const key of Object.keys(EMPTY)) if (given.has(key)) state[key] = given.get(key);
  if (!Object.hasOwn(TESTS, state.show)) state.show = "all";
  if (!data.systems.includes(state.system)) state.system = "";
  if (!data.judges.includes(state.judge)) state.judge = "";
  shown = update();
  return hash !== "";
}
function step(by) {
  const place = listed.indexOf(shown);
  const next = listed[Math.min(Math.max(place + by, 0), listed.length - 1)];
  if (next !== undefined) change({ clip: data.clips[next].id });
}
byId("clip-list").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) change({ clip: data.clips[button.dataset.clip].id });
});
let waiting;
byId("text").addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => change({ text: event.target.value }), 150);
});
for (const key of ["show", "system", "judge"])
  byId(key).addEventListener("change", (event) => change({ [key]: event.target.value }));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const audio = byId("clip").querySelector("audio");
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "t") toggleTheme();
  else if (event.key === "/") byId("text").focus();
  else if (event.key === " " && audio && !event.target.closest("button, summary, audio, a"))
    audio.paused ? audio.play() : audio.pause();
  else return;
  event.preventDefault();
});

options(byId("system"), [["", "all systems"], ...data.systems.map((name) => [name, name])]);
options(byId("judge"), [["", "any judge"], ...data.judges.map((name) => [name, name])]);
options(byId("map-judge"), [...(data.judges.length > 1 ? [["", "average"]] : []),
  ...data.judges.map((name) => [name, name])]);
options(byId("curve-judge"), Object.keys(data.charts).reverse().map((name) => [name, name]));
if (data.charts.average) byId("curve-judge").value = "average";
byId("curve-judge").addEventListener("change", drawCurve);
byId("gate").addEventListener("change", drawCurve);
byId("map-judge").addEventListener("change", drawHeat);
drawDependence();
drawCurve();
drawHeat();
window.addEventListener("hashchange", readAddress);
const linked = readAddress();
if (!linked && shown < 0) { state = { ...EMPTY }; shown = update(); }
if (linked) byId("clips").scrollIntoView();
root.dataset.ready = "yes";
performance.mark("ready");
