"""An auditory LLM: encoders, fusion and a language model in a row.

    clip -> encoders -> fusion -> audio tokens --+
                                                 v
    template: "{bos}USER: <Speech>            {audio}   </Speech> {question} ..."
               text, embedded by the LLM                 text          -> LLM

SALMONN, LTU-AS, WavLLM and the baseline of this project are this with other
parts. ``AudioAnswerer`` asks it questions; training it is a loss on its
answers.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from speechbrain.utils.checkpoints import (
    mark_as_transfer,
    register_checkpoint_hooks,
)
from torch import nn

from speechbrain_jasco.fingerprint import describe, fingerprint
from speechbrain_jasco.integrations.prompt_template import PromptTemplate
from speechbrain_jasco.integrations.trained_weights import TrainedWeights
from speechbrain_jasco.integrations.whisper_asr import quiet_transformers


@register_checkpoint_hooks
class AudioLLM(nn.Module):
    """Encoders, fusion and LLM; only fusion and the LLM's adapter are trained.

    Arguments
    ---------
    encoders : list of PretrainedEncoder
        waveforms -> ``Frames``.
    fusion : torch.nn.Module
        list of ``Frames`` -> audio tokens [B, N, D_llm] and lengths [B].
    llm : CausalLM
        The language model.
    template : str
        See ``PromptTemplate``.
    template_without_transcript : str, optional
        For clips without a transcript; by default ``template``.
    checkpoint : str or object, optional
        File of ``trained_weights.export``, or an object with ``check()``,
        ``fingerprint()`` and ``read(model) -> dict`` of trained weights.
    readout : Readout, optional
        Turns audio tokens into the words and names that the LLM reads.

    Example
    -------
    >>> from speechbrain_jasco.integrations.causal_lm import CausalLM
    >>> from speechbrain_jasco.integrations.whisper_encoder import WhisperEncoder
    >>> from speechbrain_jasco.lobes.models.window_qformer import WindowQFormer
    >>> sizes = {"d_model": 16, "encoder_layers": 1, "encoder_ffn_dim": 32}
    >>> encoder = WhisperEncoder(config=sizes | {"encoder_attention_heads": 2})
    >>> sizes = {"model_type": "llama", "hidden_size": 16, "vocab_size": 32}
    >>> sizes |= {"num_hidden_layers": 1, "num_attention_heads": 2}
    >>> llm = CausalLM(config=sizes | {"intermediate_size": 32})
    >>> fusion = WindowQFormer([16], llm.width, width=8, n_heads=2)
    >>> model = AudioLLM([encoder], fusion, llm, "{audio}{question}")
    >>> tokens, lens = model.tokens(torch.randn(1, 16000), torch.ones(1))
    >>> tokens.shape, lens
    (torch.Size([1, 2, 16]), tensor([1.]))
    >>> {name.split(".")[0] for name in model.trainable_state()}
    {'fusion'}
    """

    def __init__(
        self,
        encoders,
        fusion,
        llm,
        template,
        template_without_transcript=None,
        checkpoint=None,
        readout=None,
    ):
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.fusion = fusion
        self.llm = llm
        self.template = PromptTemplate(template)
        without = template_without_transcript or template
        self.template_without_transcript = PromptTemplate(without)
        is_path = checkpoint is not None and not hasattr(checkpoint, "read")
        self.checkpoint = TrainedWeights(checkpoint) if is_path else checkpoint
        self.readout = readout
        self.is_loaded = False

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        encoders = [encoder.config() for encoder in self.encoders]
        for encoder in encoders:
            if "source" in encoder:
                encoder["source"] = fingerprint(encoder["source"])
        return {
            "encoders": encoders,
            "fusion": describe(self.fusion),
            "readout": self.readout and describe(self.readout),
            "llm": self.llm.config(),
            "template": self.template.text,
            "template_without_transcript": self.template_without_transcript.text,
            "checkpoint": self.checkpoint and self.checkpoint.fingerprint(),
        }

    def parts(self):
        """What comes from elsewhere, each with a ``check()`` (list)."""
        parts = [*self.encoders, self.llm, self.checkpoint]
        return [part for part in parts if part is not None]

    def load(self, device="cpu"):
        """Reads all weights, once, and puts them on a device.

        Arguments
        ---------
        device : str or torch.device
            Where they go; encoders and fusion go where the LLM's first layer
            is, if its ``device_map`` has other plans.

        Raises
        ------
        ValueError
            If the checkpoint does not fit, or fusion and LLM do not.
        """
        if self.is_loaded:
            return
        with quiet_transformers():  # it reports the decoder of a Whisper
            self.llm.load(device)
            for encoder in self.encoders:
                encoder.load(self.llm.device)
        self.fusion.to(self.llm.device)
        if self.checkpoint is not None:
            self.load_trainable(self.checkpoint.read(self))
        if self.readout is not None:
            self.readout.to(self.llm.device)
            table = self.llm.model.get_input_embeddings().weight
            self.readout.bind(table, self.llm.tokenize)
        self.is_loaded = True

    @mark_as_transfer
    def take_checkpoint(self, path):
        """Sets the checkpoint that ``load()`` will read.

        SpeechBrain's ``Pretrainer`` calls this.

        Arguments
        ---------
        path : str or Path
            File of ``trained_weights.export``.
        """
        self.checkpoint = TrainedWeights(path)

    def tokens(self, wavs, wav_lens, transcripts=None):
        """Computes what the LLM hears.

        Arguments
        ---------
        wavs : torch.Tensor
            Padded waveforms [B, S] at 16 kHz.
        wav_lens : torch.Tensor
            Relative lengths [B].
        transcripts : list of str, optional
            What a recogniser has understood, for the readout.

        Returns
        -------
        tokens : torch.Tensor
            Audio tokens [B, N, D_llm].
        lens : torch.Tensor
            Relative lengths [B].

        Raises
        ------
        ValueError
            If the fusion is not as wide as the LLM.
        """
        frames = [encoder(wavs, wav_lens) for encoder in self.encoders]
        tokens, lens = self.fusion(frames)
        if tokens.shape[2] != self.llm.width:
            raise ValueError(
                f"the fusion gives tokens of width {tokens.shape[2]}; the LLM "
                f"takes {self.llm.width}. Set the fusion's llm_width to it."
            )
        if self.readout is not None:
            if transcripts is not None:  # a word stands behind a space
                words = [self.llm.tokenize(f" {t}") for t in transcripts]
                transcripts = words
            tokens, lens = self.readout(tokens, lens, transcripts)
        return tokens, lens

    def prompt(self, question, transcript=""):
        """Writes the prompt around the audio.

        Arguments
        ---------
        question : str
            The instruction.
        transcript : str
            What was said, where the template wants it.

        Returns
        -------
        PromptIds
        """
        template = self.template
        if not transcript:
            template = self.template_without_transcript
        return template.ids(self.llm.tokenizer, question, transcript)

    def trainable_state(self):
        """The trained weights, and the vocabulary of the readout.

        Returns
        -------
        dict
            Name -> tensor on the CPU.
        """
        return {name: t.detach().cpu() for name, t in self._trained().items()}

    def _trained(self):
        """Name -> parameter or, of the vocabulary, buffer."""
        own = {n: p for n, p in self.named_parameters() if p.requires_grad}
        if self.readout is not None:
            vocabulary = self.readout.vocabulary().items()
            own |= {f"readout.{name}": ids for name, ids in vocabulary}
        return own

    def load_trainable(self, state):
        """Sets the trained weights, all of them and no others.

        Arguments
        ---------
        state : dict
            Name -> tensor.

        Raises
        ------
        ValueError
            If a weight is missing, unused or of another shape; names all.
        """
        if self.readout is not None:
            self.readout.make_room(state, "readout.")
        own = self._trained()
        problems = [f"missing: {name}" for name in own if name not in state]
        problems += [f"unused: {name}" for name in state if name not in own]
        problems += [
            f"{name}: got {list(state[name].shape)}, expected {list(p.shape)}"
            for name, p in own.items()
            if name in state and state[name].shape != p.shape
        ]
        if problems:
            raise ValueError(
                "these trained weights are not of this model, "
                f"{len(problems)} problem(s):\n  " + "\n  ".join(problems)
            )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(state[name])
