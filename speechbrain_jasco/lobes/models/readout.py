"""Audio tokens read out as words that the LLM knows.

    audio tokens --cosine--> words by time    --CTC runs--> mean word of each run
                      (or a known sentence or a recogniser's, if CTC allows it)
     mean token  --cosine--> names of sounds  ------------> mean name
     mean token  --cosine--> names of speakers -----------> mean name

    "The sound:{sound}. The words:{words} The voice:{speaker}"  -> LLM

Each word is the mean of the LLM's own word embeddings, weighted by how
probable each is; where the readout is sure, the LLM reads exactly the text.
So the LLM, which knows text, need not learn what audio tokens mean, and what
it learns from clips whose words are ``given`` holds for those it hears.

Method: CTC posteriors into the LLM's embeddings as in LegoSLM, Ma et al.,
arXiv 2505.11352 section 3; here with names of sounds and speakers beside the
words, and with runs of one word merged, so that only words are left.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch import nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pad_sequence

from speechbrain_jasco.lobes.models.ctc import best_path, may_be_said, nearest
from speechbrain_jasco.lobes.models.vocabulary import (
    NO_TOKEN,
    Scores,
    Targets,
    padded,
    unpadded,
)

KINDS = ("sound", "speaker")


class Readout(nn.Module):
    """Turns audio tokens into word embeddings (after arXiv 2505.11352).

    Arguments
    ---------
    width : int
        Width of the LLM's embeddings.
    layout : str
        What the LLM reads, with ``{sound}``, ``{words}`` and ``{speaker}``.
    sharpness : float
        Factor of the cosines, at the start.
    dropout : float
        Share of the words that are left out while training, so that the LLM
        copes with words that are not understood.
    confusion : float
        Share of the given words that are replaced by others while training,
        so that it copes with words that are misunderstood.
    tolerance : float
        A recogniser's words are read in place of those heard unless the audio
        tokens find them less probable by more than so many nats per word.
    familiarity : float or None
        The same of a sentence of the training; None, and training, read none.

    Example
    -------
    >>> readout = Readout(8, layout="{sound}{words}")
    >>> readout.set_vocabulary([5, 6, 7], {"sound": [[[1, 2]], [[3]]], "speaker": [[[4]]]})
    >>> readout.bind(torch.randn(20, 8), lambda text: [])
    >>> scores = readout.scores(torch.randn(2, 4, 8), torch.tensor([4, 3]))
    >>> scores.words.shape, scores.names["sound"].shape
    (torch.Size([2, 4, 4]), torch.Size([2, 2]))
    """

    def __init__(
        self,
        width,
        layout="The sound:{sound}. The words:{words} The voice:{speaker}",
        sharpness=20.0,
        dropout=0.0,
        confusion=0.0,
        tolerance=6.0,
        familiarity=3.0,
    ):
        super().__init__()
        self.layout = layout
        self.tolerance = tolerance
        self.familiarity = familiarity
        self.dropout = dropout
        self.confusion = confusion
        self.blank = nn.Parameter(torch.randn(width))
        sharpness = torch.full((1 + len(KINDS),), float(sharpness))
        self.scales = nn.Parameter(sharpness.log())
        # The vocabulary comes from the data, the embeddings from the LLM.
        dims = {"word": 1, "sentence": 2} | dict.fromkeys(KINDS, 3)
        for name, n in dims.items():
            empty = torch.empty([0, 1, 1][:n], dtype=torch.int32)
            self.register_buffer(f"{name}_ids", empty)
        self.register_buffer("table", torch.empty(0, width), False)
        self._pieces = []

    def set_vocabulary(self, words, names, sentences=()):
        """Says what there is to be heard.

        Arguments
        ---------
        words : iterable of int
            Tokens that occur in what is said.
        names : dict
            "sound", "speaker" -> of each its names, as lists of tokens; the
            first is the one that is read.
        sentences : iterable of list of int
            Tokens of each sentence that is known.
        """
        self.word_ids = self.word_ids.new_tensor(sorted(set(words)))
        for kind in KINDS:
            setattr(self, f"{kind}_ids", padded(names[kind]).to(self.word_ids))
        self.sentence_ids = padded([list(sentences)])[0].to(self.word_ids)

    def vocabulary(self):
        """What there is to be heard, for a file of trained weights.

        Returns
        -------
        dict
            Name -> buffer.
        """
        return {n: b for n, b in self.named_buffers() if n.endswith("_ids")}

    def make_room(self, state, prefix=""):
        """Makes the vocabulary as large as one in a file.

        Arguments
        ---------
        state : dict
            Name -> tensor.
        prefix : str
            What the names of the vocabulary begin with.
        """
        for name, ids in self.vocabulary().items():
            if prefix + name in state:
                room = ids.new_zeros(state[prefix + name].shape)
                setattr(self, name, room)

    def bind(self, table, tokenize):
        """Takes the LLM's embeddings.

        Arguments
        ---------
        table : torch.Tensor
            Input embeddings [V, D].
        tokenize : callable
            Text -> list of int.
        """
        self.table = table.detach().to(self.blank)
        pieces = self.layout.replace("{", "}").split("}")
        self._pieces = [  # text, field, text, field ...
            piece if i % 2 else self._embed(tokenize(piece))
            for i, piece in enumerate(pieces)
            if piece
        ]

    def scores(self, tokens, sizes):
        """Compares audio tokens with the LLM's embeddings.

        Arguments
        ---------
        tokens : torch.Tensor
            Audio tokens [B, N, D], zero behind the end of a clip.
        sizes : torch.Tensor
            Their numbers [B].

        Returns
        -------
        Scores
        """
        tokens, scales = tokens.float(), self.scales.exp()
        classes = torch.cat([self.blank[None], self._embed(self.word_ids)])
        words = normalize(tokens, dim=2) @ normalize(classes, dim=1).T
        pooled = normalize(tokens.sum(dim=1) / sizes.unsqueeze(1), dim=1)
        names = {
            kind: pooled @ self._directions(kind).T * scale
            for kind, scale in zip(KINDS, scales[1:], strict=True)
        }
        return Scores(words * scales[0], names)

    def forward(self, tokens, lens, transcripts=None):
        """Reads audio tokens out.

        Arguments
        ---------
        tokens : torch.Tensor
            Audio tokens [B, N, D], zero behind the end of a clip.
        lens : torch.Tensor
            Relative lengths [B].
        transcripts : list of list of int, optional
            Tokens of what a recogniser has understood of each clip.

        Returns
        -------
        tokens : torch.Tensor
            Word embeddings [B, N', D], zero behind the end.
        lens : torch.Tensor
            Relative lengths [B].
        """
        sizes = (lens * tokens.shape[1]).round().long()
        scores, given = self.scores(tokens, sizes), ()
        if transcripts is not None:
            given = self.allowed(scores, sizes, transcripts)
        read, sizes = self.read(scores, sizes, Targets(transcripts, {}), given)
        return read, sizes / read.shape[1]

    def allowed(self, scores, sizes, transcripts):
        """Says whose transcripts are read: those that the audio tokens allow,
        of clips in which no known sentence is heard.

        Arguments
        ---------
        scores, sizes, transcripts
            As for ``read`` and ``forward``.

        Returns
        -------
        list of int
            Numbers of the clips.
        """
        words, known = self.classes(transcripts), self.known(scores, sizes)
        own = may_be_said(scores.words, sizes, words, self.tolerance)
        return [clip for clip in own if clip not in known]

    def read(self, scores, sizes, targets=None, given=()):
        """Writes what is heard as the LLM reads it.

        Arguments
        ---------
        scores : Scores
            Of the audio tokens.
        sizes : torch.Tensor
            Numbers of audio tokens [B].
        targets : Targets, optional
            What should be heard.
        given : iterable of int
            Clips of which that is read in place of what is heard.

        Returns
        -------
        tokens : torch.Tensor
            Word embeddings [B, N', D], zero behind the end.
        sizes : torch.Tensor
            Their numbers [B].
        """
        heard = self._heard(scores, sizes)
        for i in given:
            heard[i] |= self._given(targets, i)
        return self._lay_out(heard)

    def give(self, targets):
        """Writes what should be heard as the LLM reads it; nothing is heard.

        Arguments
        ---------
        targets : Targets
            What should be heard, all of it known.

        Returns
        -------
        tokens, sizes
            As for ``read``.
        """
        clips = range(len(targets.words))
        return self._lay_out([self._given(targets, i) for i in clips])

    def words(self, scores, sizes):
        """Reads the most likely words: best path, no repetitions, no blanks.

        Arguments
        ---------
        scores : Scores
            Of the audio tokens.
        sizes : torch.Tensor
            Their numbers [B].

        Returns
        -------
        list of list of int
            Tokens of the LLM.
        """
        best, starts = best_path(scores.words.detach(), sizes)
        return [
            self.word_ids[row[at] - 1].tolist()
            for row, at in zip(best, starts, strict=True)
        ]

    def known(self, scores, sizes):
        """Finds known sentences; none while training.

        Arguments
        ---------
        scores, sizes
            As for ``words``.

        Returns
        -------
        dict
            Number of a clip -> tokens of the sentence that is read.
        """
        if self.training or self.familiarity is None:
            return {}
        sentences = unpadded(self.sentence_ids)
        own = self.classes(sentences)
        found = nearest(scores.words, sizes, own, self.familiarity)
        return {clip: sentences[number] for clip, number in found.items()}

    def classes(self, words):
        """Numbers tokens as the scores of words do; blank is 0.

        Arguments
        ---------
        words : list of list of int
            Tokens of the LLM; those out of the vocabulary are left out.

        Returns
        -------
        list of list of int
        """
        index = {t: i for i, t in enumerate(self.word_ids.tolist(), 1)}
        return [[index[t] for t in own if t in index] for own in words]

    def _lay_out(self, clips):
        """Puts each clip's embeddings where the layout has its fields."""
        read = [
            torch.cat(
                [own[p] if isinstance(p, str) else p for p in self._pieces]
            )
            for own in clips
        ]
        sizes = torch.tensor([len(r) for r in read], device=self.table.device)
        return pad_sequence(read, batch_first=True), sizes

    def _heard(self, scores, sizes):
        """Embeddings of each clip's words and names, as dictionaries."""
        best, starts = best_path(scores.words, sizes)
        shares = scores.words[:, :, 1:].softmax(dim=2)
        by_time = shares @ self._embed(self.word_ids)
        known, heard = self.known(scores, sizes), []
        for i, (row, at) in enumerate(zip(best, starts, strict=True)):
            run = at.cumsum(dim=0) - 1  # which run a token belongs to
            within = row > 0
            words = by_time.new_zeros(int(at.sum()), by_time.shape[2])
            words = words.index_add(0, run[within], by_time[i, within])
            counts = torch.bincount(run[within], minlength=len(words))
            words = self._drop(words / counts.unsqueeze(1))
            words = self._embed(known[i]) if i in known else words
            names = {k: self._name(k, s[i]) for k, s in scores.names.items()}
            heard.append({"words": words, **names})
        return heard

    def _given(self, targets, i):
        """Embeddings of the words and names that are true of a clip."""
        words = self._confuse(targets.words[i])
        given = {"words": self._drop(self._embed(words))}
        for kind, numbers in targets.names.items():
            if numbers[i] >= 0:
                ids = getattr(self, f"{kind}_ids")[numbers[i], 0]
                given[kind] = self._embed(ids[ids != NO_TOKEN])
        return given

    def _name(self, kind, scores):
        """Mean of all first names; as long as the most likely one."""
        ids = getattr(self, f"{kind}_ids")[:, 0]
        there = ids != NO_TOKEN
        n = int(there[scores.argmax()].sum())
        weights = scores.softmax(dim=0)[:, None] * there[:, :n]
        weights = weights / weights.sum(dim=0, keepdim=True)
        return (weights[:, :, None] * self._embed(ids[:, :n])).sum(dim=0)

    def _directions(self, kind):
        """Mean embedding of each one's names, without what all share."""
        ids = getattr(self, f"{kind}_ids").flatten(1)
        there = (ids != NO_TOKEN).unsqueeze(2)
        means = (self._embed(ids) * there).sum(dim=1) / there.sum(dim=1)
        return normalize(means - means.mean(dim=0), dim=1)

    def _embed(self, ids):
        """Embeddings of tokens; of no token that of token 0."""
        ids = torch.as_tensor(ids, dtype=torch.long, device=self.table.device)
        return self.table[ids.clamp(min=0)]

    def _confuse(self, ids):
        """Replaces some words by any others while training."""
        if not self.training or not self.confusion:
            return ids
        ids = torch.tensor(ids)
        others = torch.randint(len(self.word_ids), ids.shape)
        others = self.word_ids.cpu()[others].long()
        return torch.where(torch.rand(len(ids)) < self.confusion, others, ids)

    def _drop(self, words):
        """Leaves out some words while training."""
        if not self.training or not self.dropout:
            return words
        return words[torch.rand(len(words)) >= self.dropout]
