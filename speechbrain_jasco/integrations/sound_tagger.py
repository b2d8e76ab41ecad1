"""Background sounds as words: the scenes and objects a clip sounds like.

SoundNet learnt from video, so it answers with what would be seen: 401 places
and 1000 objects. Both heads are asked, since together they describe the
official clips better than either alone (benchmarks/sound_encoders.py; numbers
in docs/LOG.md). Speech over the sound leaks into the labels: they are a hint,
not a transcript of the background.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

import torch
from speechbrain.utils.logger import get_logger

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.sound_weights import load_soundnet

logger = get_logger(__name__)


class SoundTagger:
    """Names what a clip sounds like.

    Arguments
    ---------
    source : str
        ``starter:NAME`` or a folder written by
        ``speechbrain_jasco.integrations.sound_weights.convert_soundnet``.
    top_k : int
        Labels per head: as many scenes and as many objects.
    device : str, optional
        Where it runs; a GPU if there is one.

    Raises
    ------
    ValueError
        If no label is asked for.

    Example
    -------
    >>> tagger = SoundTagger("starter:soundnet8")
    >>> tagger.model is None  # nothing is loaded before the first use
    True
    """

    def __init__(self, source, top_k=5, device=None):
        if top_k < 1:
            raise ValueError(f"got top_k {top_k}; expected at least 1")
        self.source = source
        self.top_k = top_k
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = None
        self.labels = None

    def config(self):
        """Everything a label depends on, JSON-able (dict)."""
        return {
            "tagger": type(self).__name__,
            "source": fingerprint(self.source),
            "top_k": self.top_k,
        }

    def load(self):
        """Load network and label names, once."""
        if self.model is not None:
            return
        folder = Path(starter.resolve(self.source))
        logger.info("Loading %s", self.source)
        text = (folder / "labels.json").read_text(encoding="utf-8")
        self.labels = json.loads(text)
        self.model = load_soundnet(folder).to(self.device)

    def tag(self, wavs):
        """Name scenes and objects of each clip.

        Arguments
        ---------
        wavs : list of torch.Tensor
            Waveforms [S] at 16 kHz.

        Returns
        -------
        list of list of str
            Per clip the labels, best first: scene, object, scene, ... A word
            that is both stands there once.
        """
        self.load()
        return [self._tag_clip(wav.to(self.device)) for wav in wavs]

    def _tag_clip(self, wav):
        """The labels of one clip [S], best first."""
        found = self.model.label_probabilities(
            wav.unsqueeze(0), torch.ones(1, device=wav.device)
        )
        scenes = self._best(found.scenes[0], self.labels["scenes"])
        objects = self._best(found.objects[0], self.labels["objects"])
        pairs = zip(scenes, objects)
        return list(dict.fromkeys(label for pair in pairs for label in pair))

    def _best(self, probabilities, names):
        """The ``top_k`` names of a head."""
        top = probabilities.topk(min(self.top_k, len(names))).indices
        return [names[i] for i in top.tolist()]
