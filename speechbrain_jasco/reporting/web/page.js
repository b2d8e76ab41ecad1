// The view: filters, address and keys; the last file, it starts the page.
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
