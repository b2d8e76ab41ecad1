"""Sentences as vectors, by a BERT with mean pooling (all-MiniLM-L6-v2).

Authors
 * The speechbrain_jasco developers, 2026
"""

import shutil
from pathlib import Path

import torch
from speechbrain.utils.logger import get_logger
from transformers import AutoModel, AutoTokenizer

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint

logger = get_logger(__name__)

# The length all-MiniLM-L6-v2 was trained with (max_seq_length in the
# sentence_bert_config.json of sentence-transformers/all-MiniLM-L6-v2).
MAX_TOKENS = 256


class SentenceEmbedder:
    """Embeds sentences; the cosine of two vectors is their dot product.

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.
    batch_size : int
        Sentences at once.
    device : str, optional
        CUDA where there is one, else the CPU.

    Example
    -------
    >>> embedder = SentenceEmbedder("starter:minilm-l6-v2")
    >>> embedder.model is None  # nothing is loaded before the first use
    True
    """

    def __init__(self, source, batch_size=64, device=None):
        self.source = source
        self.batch_size = batch_size
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = None
        self.tokenizer = None

    def config(self):
        """Everything a vector depends on, JSON-able (dict)."""
        return {
            "embedder": type(self).__name__,
            "source": fingerprint(self.source),
        }

    def load(self):
        """Load model and tokenizer, once."""
        if self.model is not None:
            return
        path = starter.resolve(self.source)
        logger.info("Loading %s", self.source)
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModel.from_pretrained(path, dtype=torch.float32)
        self.model = model.to(self.device).eval().requires_grad_(False)

    @torch.no_grad()
    def embed(self, texts):
        """Embed sentences.

        Arguments
        ---------
        texts : list of str
            The sentences; what is beyond 256 tokens is left out.

        Returns
        -------
        Tensor [n, D]
            Rows of length one, on the CPU.
        """
        self.load()
        rows = [
            self._embed_batch(texts[start : start + self.batch_size])
            for start in range(0, len(texts), self.batch_size)
        ]
        return torch.cat([torch.zeros(0, self.model.config.hidden_size), *rows])

    def _embed_batch(self, texts):
        """Mean over each sentence's tokens, L2-normalised: [n, D]."""
        batch = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        ).to(self.device)
        frames = self.model(**batch).last_hidden_state  # [n, N, D]
        mask = batch["attention_mask"].unsqueeze(-1)
        means = (frames * mask).sum(dim=1) / mask.sum(dim=1)
        return torch.nn.functional.normalize(means, dim=-1).cpu()


def convert(files, folder):
    """Take over a model that is published as a Hugging Face folder.

    Arguments
    ---------
    files : dict
        Name -> Path.
    folder : str or Path
        Existing folder; gets the files under these names.
    """
    for name, path in files.items():
        shutil.copyfile(path, Path(folder) / name)
