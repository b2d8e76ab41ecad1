// One clip: its recording, its answers, what judges say of them.
function drawSound(canvas, picture) {
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
