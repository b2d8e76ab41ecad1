"""Sentence vectors that are computed once.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch


class Vectors:
    """Embeds each text once.

    Arguments
    ---------
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.

    Example
    -------
    >>> class Letters:
    ...     def embed(self, texts):
    ...         rows = [[t.count("a"), t.count("b")] for t in texts]
    ...         return torch.nn.functional.normalize(torch.tensor(rows).float())
    >>> round(Vectors(Letters()).nearest("ab", ["b", "aabb"]), 3)
    1.0
    """

    def __init__(self, embedder):
        self.embedder = embedder
        self._known = {}

    def __call__(self, texts):
        """Embed texts: Tensor [n, D]."""
        # Texts of one length share a batch, so that little of it is padding.
        new = sorted(set(texts) - self._known.keys(), key=len)
        if new:
            self._known.update(zip(new, self.embedder.embed(new), strict=True))
        return torch.stack([self._known[text] for text in texts])

    def nearest(self, text, others):
        """Cosine of a text to the nearest of others.

        Arguments
        ---------
        text : str
            A text.
        others : list of str
            At least one.

        Returns
        -------
        float
        """
        return float((self([text]) @ self(others).T).max())
