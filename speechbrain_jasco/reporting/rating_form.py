"""The rating sheet as one HTML page: opens from disk, asks nobody, saves a CSV.

What models and data sets say is text here: it is escaped, and the page's
policy runs no script but its own.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import os
from html import escape
from urllib.parse import quote

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS
from speechbrain_jasco.reporting.policy import policy

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid; padding: 1rem 0; }
section.done h2::after { content: " \\2713"; }
h2 { font-size: 1rem; }
dt { font-weight: 600; }
dd, blockquote { margin: 0 0 .5rem 1rem; overflow-wrap: anywhere;
    white-space: pre-wrap; max-height: 20rem; overflow-y: auto; }
blockquote { border-left: 4px solid; padding-left: .75rem; }
fieldset { border: 0; padding: .25rem 0; }
label { margin-right: 1.25rem; }
footer { position: sticky; bottom: 0; background: Canvas; padding: .5rem 0;
    border-top: 1px solid; }
"""

# Nothing of the data is in the script: it reads the inputs' names and values.
_SCRIPT = """
const key = document.body.dataset.sheet;
const sections = [...document.querySelectorAll("section")];
const value = (s, name) =>
  s.querySelector(`input[data-field=${name}]:checked`)?.value ?? "";
const values = () => sections.map((s) =>
  [s.id, value(s, "rating"), value(s, "orientation")]);
function update() {
  let done = 0;
  for (const s of sections) {
    const whole = value(s, "rating") !== "" && value(s, "orientation") !== "";
    s.classList.toggle("done", whole);
    done += whole;
  }
  document.getElementById("count").textContent =
    `${done} of ${sections.length} rated`;
  try { localStorage.setItem(key, JSON.stringify(values())); } catch (e) {}
}
function restore() {
  let saved = [];
  try { saved = JSON.parse(localStorage.getItem(key)) ?? []; } catch (e) {}
  for (const [item, rating, orientation] of saved) {
    const s = document.getElementById(item);
    for (const [name, v] of Object.entries({ rating, orientation }))
      for (const input of s?.querySelectorAll(`input[data-field=${name}]`) ?? [])
        input.checked = input.value === v;
  }
}
function save() {
  const rows = [["item", "rating", "orientation"], ...values()];
  const text = rows.map((r) => r.join(",")).join("\\n") + "\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "filled.csv";
  link.click();
}
restore();
update();
document.addEventListener("change", update);
document.getElementById("save").addEventListener("click", save);
"""

_RUBRIC = """
<p>Listen, read the answer, and grade it. You are not told which system it is
of. Look only at the activity that the answer names.</p>
<dl><dt>Rating</dt><dd>0: the activity is wrong, missing, too general, or follows
from the sound alone or the words alone.
1: it agrees with the reference, but the decisive detail is missing.
2: it is that of the reference, in whatever words.</dd>
<dt>Orientation</dt><dd>audio: it fits the sound, the words hardly matter.
speech: it fits the words, the sound hardly matters.
both: it fits both together, in a specific way.
neither: no activity is named.</dd></dl>
"""

_LABELS = {
    "audio_sound": "Sound",
    "spoken_text": "Words",
    "audio_only_target": "Answer that the sound alone suggests",
    "speech_only_target": "Answer that the words alone suggest",
    "tgt_text": "Reference answer",
    "target_keywords": "Key words",
    "prompt": "Question",
}


def rating_form(rows, paths, folder):
    """Write the page.

    Arguments
    ---------
    rows : list of dict
        ``item`` (letters), ``id``, ``allm_output`` and the columns that are
        shown.
    paths : dict
        Clip id -> recording; a clip that is not there has no player.
    folder : str or Path
        Where the page will be, for relative addresses.

    Returns
    -------
    str
        HTML.

    Example
    -------
    >>> row = dict.fromkeys(_LABELS, "") | {"item": "ab", "id": "1",
    ...     "allm_output": "<script>alert(1)</script>"}
    >>> page = rating_form([row], {}, ".")
    >>> page.count("<script>"), "&lt;script&gt;alert(1)" in page
    (1, True)
    """
    items = "".join(row["item"] for row in rows)
    sheet = hashlib.sha256(items.encode()).hexdigest()[:16]
    sections = [
        _section(number, row, paths.get(row["id"]), folder)
        for number, row in enumerate(rows, start=1)
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            f'content="{policy(_STYLE, _SCRIPT)}">',
            '<meta name="viewport" content="width=device-width">',
            "<title>Rating sheet</title>",
            f"<style>{_STYLE}</style>",
            f'<body data-sheet="jasco-{sheet}">\n<h1>Rating sheet</h1>{_RUBRIC}',
            *sections,
            '<footer><button id="save">Save as CSV</button> '
            '<span id="count"></span></footer>',
            f"<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _section(number, row, path, folder):
    """One answer to rate."""
    player = ""
    if path is not None:
        address = quote(os.path.relpath(path, folder).replace(os.sep, "/"))
        player = f'<audio controls preload="none" src="{address}"></audio>\n'
    facts = "".join(
        f'<dt>{label}</dt><dd dir="auto">{escape(row[name])}</dd>\n'
        for name, label in _LABELS.items()
    )
    item = row["item"]
    return (
        f'<section id="{item}">\n<h2>{number}</h2>\n{player}<dl>{facts}</dl>\n'
        f'<p>The answer:</p>\n<blockquote dir="auto">'
        f"{escape(row['allm_output'])}</blockquote>\n"
        + _choice(item, "rating", RATINGS)
        + _choice(item, "orientation", ORIENTATIONS)
        + "</section>"
    )


def _choice(item, field, values):
    """Buttons for one field."""
    buttons = "".join(
        f'<label><input type="radio" name="{item}-{field}" '
        f'data-field="{field}" value="{value}"> {value}</label>'
        for value in values
    )
    return f"<fieldset><legend>{field}</legend>{buttons}</fieldset>\n"
