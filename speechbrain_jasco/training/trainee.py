"""The auditory LLM as it is trained: frames and packed rows to losses.

    frames -> fusion -> audio tokens -> scores -> alignment -> CTC, names
                               |          v
                               |       readout, given truth if wanted
                               v          v
    rows ---------------> packed embeddings -> LLM -> loss of each answer

One ``forward`` does all of it, since that is what DistributedDataParallel
watches. Logits are computed where an answer is predicted and nowhere else.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from speechbrain.utils.checkpoints import (
    mark_as_loader,
    mark_as_saver,
    register_checkpoint_hooks,
)
from torch import nn
from torch.nn.functional import cross_entropy

from speechbrain_jasco.training.alignment import Heard
from speechbrain_jasco.training.choice import contrast
from speechbrain_jasco.training.packing import (
    NO_LABEL,
    Branch,
    Row,
    attention_mask,
    pack,
)


class Losses(NamedTuple):
    """What a forward computes.

    Arguments
    ---------
    answers : torch.Tensor
        Mean loss per token of each answer, in the order of the rows; None
        without rows.
    tasks : list of str
        Their tasks.
    heard : Heard
        Of the alignment; None without targets.
    contrast : torch.Tensor
        Cross-entropy of each answer that has rivals against them.

    Example
    -------
    >>> Losses(torch.tensor([0.5]), ["direct"], None).tasks
    ['direct']
    """

    answers: torch.Tensor | None
    tasks: list[str]
    heard: Heard | None
    contrast: torch.Tensor | None = None


@register_checkpoint_hooks
class Trainee(nn.Module):
    """An ``AudioLLM`` with what it takes to train it.

    A checkpoint holds the trained weights only.

    Arguments
    ---------
    model : AudioLLM
        The auditory LLM.
    alignment : Alignment
        Losses without the LLM. Its readout is the model's, or where that has
        none one that serves the losses only.

    Example
    -------
    >>> model = nn.Module()
    >>> model.llm = nn.Linear(2, 2).requires_grad_(False)
    >>> model.fusion = nn.Linear(3, 2)
    >>> {name: len(p) for name, p in Trainee(model, nn.Identity()).parts().items()}
    {'fusion': 2, 'llm': 0}
    """

    def __init__(self, model, alignment):
        super().__init__()
        # In a list, out of torch's sight: its encoders are frozen, run
        # outside of ``forward`` and are none of DistributedDataParallel's.
        self._model = [model]
        self.fusion = model.fusion
        self.llm = model.llm
        self.alignment = alignment
        self._parts = None

    @property
    def model(self):
        """The auditory LLM (AudioLLM)."""
        return self._model[0]

    def parts(self):
        """What is trained, as the curriculum names it.

        Asked for the first time before any stage switches a part off.

        Returns
        -------
        dict
            "fusion" and "llm" -> list of parameters.
        """
        if self._parts is None:
            fusion = [self.fusion, self.alignment]
            modules = {"fusion": fusion, "llm": [self.llm]}
            self._parts = {
                name: [
                    p for m in own for p in m.parameters() if p.requires_grad
                ]
                for name, own in modules.items()
            }
        return self._parts

    def switch_on(self, names):
        """Lets some parts be trained and leaves the others as they are.

        Arguments
        ---------
        names : iterable of str
            "fusion", "llm".
        """
        for name, parameters in self.parts().items():
            for parameter in parameters:
                parameter.requires_grad_(name in names)

    def trained(self):
        """All that is trained in any stage.

        Returns
        -------
        dict
            Name -> parameter.
        """
        known = {id(p) for part in self.parts().values() for p in part}
        return {n: p for n, p in self.named_parameters() if id(p) in known}

    def forward(self, streams, rows=None, targets=None, given=()):
        """Computes losses.

        Arguments
        ---------
        streams : list of Frames
            One per encoder; None where the LLM is given all of what should
            be heard and nothing is aligned.
        rows : list of Row, optional
            One per clip; without any question the LLM is not run.
        targets : Targets, optional
            What should be heard; without them nothing is aligned.
        given : iterable of int
            Clips of which the LLM reads the targets.

        Returns
        -------
        Losses
        """
        asked = [i for i, row in enumerate(rows or []) if row.branches]
        if streams is None:
            heard = None
            tokens, sizes = self.model.readout.give(targets)
        else:
            tokens, sizes = self.fuse(streams)
            scores = heard = None
            if targets is not None:
                scores = self.alignment.readout.scores(tokens, sizes)
                heard = self.alignment(scores, sizes, targets)
            if not asked:
                return Losses(None, [], heard)
            tokens, sizes = self.read(tokens, sizes, scores, targets, given)
        tokens, sizes = tokens[asked], sizes[asked]
        packed = pack([rows[i] for i in asked], sizes.tolist(), tokens.device)
        losses = self.answer_losses(packed, tokens, sizes)
        answers = sorted(set(packed.rival_of))
        tasks = [packed.tasks[i] for i in answers]
        against = contrast(losses, packed.rival_of)
        return Losses(losses[answers], tasks, heard, against)

    def listen(self, streams):
        """Hears what the LLM reads.

        Arguments
        ---------
        streams : list of Frames
            One per encoder.

        Returns
        -------
        tokens : torch.Tensor
            What the LLM reads [B, N, D].
        sizes : torch.Tensor
            Their numbers [B].
        """
        return self.read(*self.fuse(streams))

    def read(self, tokens, sizes, scores=None, targets=None, given=()):
        """Reads audio tokens out, where the model does so.

        Arguments
        ---------
        tokens : torch.Tensor
            Audio tokens [B, N, D].
        sizes : torch.Tensor
            Their numbers [B].
        scores : Scores, optional
            Of the tokens, if they are there already.
        targets : Targets, optional
            What should be heard.
        given : iterable of int
            Clips of which the LLM reads the targets.

        Returns
        -------
        tokens, sizes
            As for ``listen``.
        """
        readout = self.model.readout
        if readout is None:
            return tokens, sizes
        if scores is None:
            scores = readout.scores(tokens, sizes)
        return readout.read(scores, sizes, targets, given)

    def fuse(self, streams):
        """Fuses.

        Arguments
        ---------
        streams : list of Frames
            One per encoder.

        Returns
        -------
        tokens : torch.Tensor
            Audio tokens [B, N, D].
        sizes : torch.Tensor
            Their numbers [B].
        """
        tokens, lens = self.fusion(streams)
        return tokens, (lens * tokens.shape[1]).round().long()

    @torch.no_grad()
    def match_scale(self, streams):
        """Makes untrained audio tokens as large as the LLM's embeddings.

        Arguments
        ---------
        streams : list of Frames
            Some clips.
        """
        table = self.llm.model.get_input_embeddings().weight
        self.eval()  # the brain turns to training
        tokens, sizes = self.fuse(streams)
        inside = torch.arange(tokens.shape[1], device=tokens.device)
        size = tokens[inside < sizes.unsqueeze(1)].float().norm(dim=1).mean()
        ratio = table.float().norm(dim=1).mean() / size
        projection = self.fusion.projection
        projection.weight.mul_(ratio)
        projection.bias.mul_(ratio)

    def answer_losses(self, packed, tokens, sizes):
        """Runs the LLM on packed rows.

        Arguments
        ---------
        packed : Pack
            The rows.
        tokens : torch.Tensor
            Audio tokens [B, N, D].
        sizes : torch.Tensor
            Their numbers [B].

        Returns
        -------
        torch.Tensor
            Mean loss per token of each answer and rival.

        Raises
        ------
        ValueError
            If the LLM's attention takes no mask of its own.
        """
        llm = self.llm
        embeds = llm.embed(packed.ids)
        heard = [tokens[i, : sizes[i]] for i in packed.heard]
        audio = torch.cat([tokens[0, :0], *heard]).to(embeds.dtype)
        is_audio = packed.is_audio.unsqueeze(2)
        embeds = embeds.masked_scatter(is_audio, audio)
        network = llm.network
        hidden = network.base_model(
            inputs_embeds=embeds,
            attention_mask=attention_mask(packed, network.config, embeds),
            position_ids=packed.positions,
            use_cache=False,
        ).last_hidden_state
        chosen = packed.labels != NO_LABEL
        logits = network.get_output_embeddings()(hidden[chosen])
        losses = cross_entropy(
            logits.float(), packed.labels[chosen], reduction="none"
        )
        branch = packed.branches[chosen]
        totals = losses.new_zeros(len(packed.tasks)).index_add(
            0, branch, losses
        )
        counts = torch.bincount(branch, minlength=len(packed.tasks))
        return totals / counts

    def row(self, turns):
        """Tokenizes the questions about a clip.

        Arguments
        ---------
        turns : list of Turn
            The questions.

        Returns
        -------
        Row

        Raises
        ------
        ValueError
            If the template has the question before the audio.
        """
        ids = [self.model.prompt(turn.question) for turn in turns]
        beginnings = {tuple(own.before) for own in ids}
        if len(beginnings) > 1:
            raise ValueError(
                f"template {self.model.template.text!r}: the question stands "
                "before the audio, which the questions of a clip share. Put "
                "{audio} before {question}."
            )
        branches = [
            self._branch(turn, own)
            for turn, own in zip(turns, ids, strict=True)
        ]
        return Row(list(beginnings.pop()) if beginnings else [], branches)

    def _branch(self, turn, ids):
        """Tokenizes one question and its answer."""
        llm = self.llm
        answer = [*llm.tokenize(turn.answer), llm.tokenizer.eos_token_id]
        alone = turn.context is not None
        prompt = ids.after
        if alone:
            prompt = [*ids.before, *llm.tokenize(turn.context), *ids.after]
        rivals = [
            [*llm.tokenize(rival), llm.tokenizer.eos_token_id]
            for rival in turn.rivals
        ]
        return Branch(prompt, answer, alone, turn.task, rivals)

    @mark_as_saver
    def _save(self, path):
        """Writes all that is trained, alignment included."""
        state = {n: p.detach().cpu() for n, p in self.trained().items()}
        save_file({n: p.contiguous() for n, p in state.items()}, path)

    @mark_as_loader
    def _recover(self, path, end_of_epoch):
        """Reads what ``_save`` has written."""
        state = load_file(path)
        with torch.no_grad():
            for name, parameter in self.trained().items():
                parameter.copy_(state[name])
