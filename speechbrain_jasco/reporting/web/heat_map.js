// Clips by system.
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
