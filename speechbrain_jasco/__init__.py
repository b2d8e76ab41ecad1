"""Joint audio-speech co-reasoning (JASCO) on top of SpeechBrain.

The paper: "What Are They Doing? Joint Audio-Speech Co-Reasoning",
arXiv 2409.14526. ``docs/upstream.md`` maps each module to its future home in
SpeechBrain.

Shape letters, used in every docstring of this package: B batch, S samples,
T frames, W windows, Q queries per window, N tokens, D width.

Authors
 * The speechbrain_jasco developers, 2026
"""

__version__ = "0.1.0"
