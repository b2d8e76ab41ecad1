"""A trained auditory LLM as a folder that anybody can load.

    training --> save_pretrained --> FOLDER/hyperparams.yaml  the model's parts
                                     FOLDER/model.safetensors what was trained
    FOLDER or hub name --> AudioReasoner.from_hparams --> answers

The folder names encoders and LLM by their sources and holds neither.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from pathlib import Path

import torch
from ruamel.yaml import YAML
from speechbrain.inference.interfaces import Pretrained
from speechbrain.utils.data_utils import split_path
from speechbrain.utils.fetching import fetch

from speechbrain_jasco.dataio import Clip
from speechbrain_jasco.integrations.trained_weights import export
from speechbrain_jasco.precision import warn_of_emulation

IN_FLOAT32 = (
    'Give from_hparams(...) overrides={"model": {"llm": {"dtype": "float32"}}}.'
)


class AudioReasoner(Pretrained):
    """Answers questions about recordings::

        reasoner = AudioReasoner.from_hparams("results/baseline/pretrained")
        reasoner.answer("clip.wav", "What are they doing?")

    A YAML can run any code: load from sources that you trust only.

    Arguments
    ---------
    *args, **kwargs
        Of SpeechBrain's ``Pretrained``; ``from_hparams`` gives them.

    Example
    -------
    >>> AudioReasoner.MODULES_NEEDED, AudioReasoner.HPARAMS_NEEDED
    (['audio_llm'], ['answerer'])
    """

    HPARAMS_NEEDED = ["answerer"]
    MODULES_NEEDED = ["audio_llm"]

    @classmethod
    def from_hparams(
        cls, source, hparams_file="hyperparams.yaml", overrides=None, **kwargs
    ):
        """Loads from a folder or a hub name.

        Arguments
        ---------
        source : str or Path
            Where ``save_pretrained`` has written, or its copy on a hub.
        hparams_file : str
            Name of the YAML in there.
        overrides : dict, optional
            Changes to the YAML, such as another ``decoding``.
        **kwargs
            Of ``Pretrained.from_hparams``: ``run_opts={"device": ...}``,
            ``savedir``, ``fetch_config`` ...

        Returns
        -------
        AudioReasoner
        """
        overrides = {"pretrained_path": str(source), **(overrides or {})}
        return super().from_hparams(
            str(source), hparams_file, overrides=overrides, **kwargs
        )

    def answer(self, path, questions):
        """Answers one question about a recording, or several at once.

        Arguments
        ---------
        path : str or Path
            File, URL or path within a hub's repository.
        questions : str or list of str
            A clip is heard once for all of them.

        Returns
        -------
        str or list of str
            As the questions.
        """
        local = Path(path)
        if not local.is_file():
            source, name = split_path(str(path))
            local = Path(fetch(name, source=source))
        # Whatever else a clip of a manifest has is not known.
        clip = Clip(*[""] * 9, path=local)
        asked = [questions] if isinstance(questions, str) else list(questions)
        answers = self.hparams.answerer.answer([clip] * len(asked), asked)
        return answers[0] if isinstance(questions, str) else answers

    def forward(self, path, questions):
        """The same as ``answer``.

        Arguments
        ---------
        path, questions
            As for ``answer``.

        Returns
        -------
        str or list of str
        """
        return self.answer(path, questions)

    def _prepare_modules(self, freeze_params):
        """Reads all weights first: frozen ones take no trained values."""
        self.hparams.answerer.check()
        audio_llm = self.mods["audio_llm"]
        audio_llm.load(self.device)
        warn_of_emulation(audio_llm.llm.model.dtype, self.device, IN_FLOAT32)
        super()._prepare_modules(freeze_params)


def save_pretrained(model, trained_yaml, interface_yaml, folder):
    """Writes a folder that ``AudioReasoner.from_hparams`` loads.

    Arguments
    ---------
    model : AudioLLM
        Trained.
    trained_yaml : str or Path
        The resolved YAML of its training, ``hyperparams.yaml`` in the output
        folder; its key ``model`` is taken over, overrides included.
    interface_yaml : str or Path
        ``hparams/pretrained/hyperparams.yaml``: all but the model.
    folder : str or Path
        Where to write.

    Returns
    -------
    Path
        The file of the weights, in half precision.
    """
    yaml = YAML()
    text = Path(trained_yaml).read_text(encoding="utf-8")
    # Heads of sections: ruamel would take the next one along with the model.
    trained = yaml.load(re.sub("(?m)^#.*\n", "", text))
    hparams = yaml.load(Path(interface_yaml).read_text(encoding="utf-8"))
    hparams["model"] = trained["model"]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "hyperparams.yaml").open("w", encoding="utf-8") as fout:
        yaml.dump(hparams, fout)
    weights = folder / "model.safetensors"
    export(model, weights, torch.float16)
    return weights
