// Answers, and which of them a filter keeps.
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
