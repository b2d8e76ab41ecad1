"""Build new clips: sounds, speech and their mixing.

The authors mixed Freesound recordings with a text-to-speech voice at 16 kHz
mono (arXiv 2409.14526, section III-B). Here the sounds are synthesised
(``procedural.py``), so that they may be given away, and the two parts are
added at a signal-to-noise ratio that is exact (``mixing.py``).

Authors
 * The speechbrain_jasco developers, 2026
"""
