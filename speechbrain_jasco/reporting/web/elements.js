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
