"""Built clips as training data.

    clips.csv --> rows by split --> dataset of (features, turns, targets)
                                    --> batches of similar length

Which questions a clip gets depends on the seed, the epoch and the clip alone:
a run that is resumed asks the same ones.

Authors
 * The speechbrain_jasco developers, 2026
"""

import random
from typing import NamedTuple

from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.dataio.dataset import DynamicItemDataset

from speechbrain_jasco.building.manifest import COLUMNS, wordings
from speechbrain_jasco.dataio import SAMPLE_RATE_HZ, audio_path, read_table
from speechbrain_jasco.lobes.models.vocabulary import UNKNOWN, Targets
from speechbrain_jasco.training.choice import Alternatives
from speechbrain_jasco.training.features import Item
from speechbrain_jasco.training.packing import Row
from speechbrain_jasco.training.tasks import draw_turns
from speechbrain_jasco.training.unrecorded import UNRECORDED

# Cells that decide what is asked about a clip.
ASKED_BY = ("split", "spoken_text", "sound_names", "voice", "answers")
ASKED_BY += ("sound_id", "line_id")


class Batch(NamedTuple):
    """Clips of a step.

    Arguments
    ---------
    ids : list of str
        Their names.
    items : list of Item
        What is known of their sound.
    rows : list of Row
        Their questions.
    targets : Targets
        What should be heard.
    given : list of int
        Clips whose words and names the LLM is given.
    """

    ids: list[str]
    items: list[Item]
    rows: list[Row]
    targets: Targets
    given: list[int]

    @property
    def nothing_to_hear(self):
        """Whether all of every clip is given (bool)."""
        names = self.targets.names.values()
        known = all(UNKNOWN not in own for own in names)
        return known and len(self.given) == len(self.ids)


def read_built(manifest, data_folder):
    """Reads the manifest of a built data set.

    Arguments
    ---------
    manifest : str or Path
        ``clips.csv`` of ``build_data.py``.
    data_folder : str or Path
        Where it lies.

    Returns
    -------
    dict
        Split -> list of dict: the columns, paths filled in.
    """
    table = read_table(manifest, COLUMNS)
    for column in ("audio", "sound_wav", "speech_wav"):
        table[column] = [
            str(audio_path(cell, data_folder)) for cell in table[column]
        ]
    return {
        split: rows.to_dict("records")
        for split, rows in table.groupby("split", sort=False)
    }


def fields(row, speakers):
    """What the tasks can ask about a clip.

    Arguments
    ---------
    row : dict
        Of the manifest.
    speakers : dict
        Voice -> list of descriptions.

    Returns
    -------
    dict
        Field -> list of wordings, none where the clip has no such thing.

    Example
    -------
    >>> row = {"spoken_text": "Hi.", "sound_names": "Rain|Wet", "answers": ""}
    >>> fields(row | {"voice": "joe"}, {"joe": ["A man."]})
    {'words': ['Hi.'], 'sound': ['Rain', 'Wet'], 'speaker': ['A man.'], 'answer': []}
    """
    return {
        "words": [row["spoken_text"]],
        "sound": wordings(row["sound_names"]),
        "speaker": list(speakers.get(row["voice"], [])),
        "answer": wordings(row["answers"]),
    }


class ClipData:
    """Turns rows of the manifest into datasets and batches.

    Arguments
    ---------
    features : Features
        The frozen encoders' frames.
    tasks : dict
        Name -> Task.
    speakers : dict
        Voice -> list of descriptions.
    seed : int
        Of the draws.

    Example
    -------
    >>> ClipData(None, {}, {}, 1234).epoch
    0
    """

    def __init__(self, features, tasks, speakers, seed):
        self.features = features
        self.tasks = tasks
        self.speakers = speakers
        self.seed = seed
        self.sounds = []  # of sound_id
        self.voices = []  # their descriptions
        self.trained = None  # the answers that compete
        self.wordings = {}  # triple_id -> answers
        self.epoch = 0
        self.stage = None
        self.trainee = None

    def prepare(self, trainee, rows):
        """Tells the readout what there is to be heard.

        Arguments
        ---------
        trainee : Trainee
            Its LLM is loaded.
        rows : list of dict
            Of the manifest: those that are trained on.

        Raises
        ------
        ValueError
            If nothing is known of any speaker, or nobody can be given what
            is unrecorded.
        """
        unheard = any(row["split"] == UNRECORDED for row in rows)
        if unheard and trainee.model.readout is None:
            raise ValueError(
                "unrecorded: got triples without a recording and a model "
                "without a readout, which cannot be given words. Set "
                "`unrecorded: null`, or give the model a readout."
            )
        self.trainee = trainee
        self.trained = Alternatives(rows)
        self.wordings = {r["triple_id"]: wordings(r["answers"]) for r in rows}
        sounds = {r["sound_id"]: wordings(r["sound_names"]) for r in rows}
        self.sounds = sorted(sounds)
        # Voices that are described alike cannot be told apart.
        described = {tuple(self.speakers.get(r["voice"], [])) for r in rows}
        self.voices = sorted(described - {()})
        if not self.voices:
            voices = ", ".join(sorted({r["voice"] for r in rows}))
            raise ValueError(
                f"speakers: got no description of any voice ({voices}); "
                "describe at least one in hparams/prompts/speakers.yaml"
            )
        names = {
            "sound": [self._names(sounds[s]) for s in self.sounds],
            "speaker": [self._names(own) for own in self.voices],
        }
        spoken = sorted({r["spoken_text"] for r in rows})
        sentences = [self._words(text) for text in spoken]
        words = {token for own in sentences for token in own}
        llm, readout = trainee.model.llm, trainee.alignment.readout
        readout.set_vocabulary(words, names, sentences)
        readout.bind(llm.model.get_input_embeddings().weight, llm.tokenize)

    def turn_to(self, epoch, stage):
        """Sets what is drawn from now on.

        Arguments
        ---------
        epoch : int
            From 1; 0 for validation and test.
        stage : Stage
            Whose tasks are drawn.
        """
        self.epoch = epoch
        self.stage = stage

    def dataset(self, rows):
        """Makes a dataset.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        DynamicItemDataset
            ``duration`` in seconds is what the batches are sorted by.
        """
        data = {}
        for row in rows:
            cells = {k: v for k, v in row.items() if k != "id"}
            cells["duration"] = int(row["n_frames"]) / SAMPLE_RATE_HZ
            data[row["id"]] = cells
        dataset = DynamicItemDataset(data)
        dataset.add_dynamic_item(self.features.item, "audio", "item")
        dataset.add_dynamic_item(self.turns, ["id", *ASKED_BY], "turns")
        dataset.set_output_keys(
            ["id", "split", "item", "turns", "spoken_text", "sound_id", "voice"]
        )
        return dataset

    def loader(self, rows, options):
        """Makes a loader that goes through clips in order.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.
        options : dict
            Of the loader: ``batch_size``, ``num_workers``.

        Returns
        -------
        SaveableDataLoader
        """
        return make_dataloader(
            self.dataset(rows), collate_fn=self.collate, **options
        )

    def turns(self, name, *cells):
        """Draws the questions about a clip.

        Arguments
        ---------
        name : str
            Id of the clip.
        *cells : str
            Of the manifest, named as in ``ASKED_BY``.

        Returns
        -------
        list of Turn
        """
        row = dict(zip(ASKED_BY, cells, strict=True))
        rng = random.Random(f"{self.seed} {self.epoch} {name}")
        n_turns = self.stage.n_turns(row["split"], rng)
        rivals = self._rivals(row, rng) if row["answers"] else []
        wordings_of = fields(row, self.speakers)
        weights = self.stage.tasks
        return draw_turns(
            self.tasks, weights, wordings_of, n_turns, rng, rivals
        )

    def _rivals(self, row, rng):
        """Draws trained answers that share the sound or the line."""
        pair = row["sound_id"], row["line_id"]
        competing = self.trained.of(*pair)
        competing.pop(self.trained.right(*pair), None)
        n_rivals = min(self.stage.rivals, len(competing))
        chosen = rng.sample(sorted(competing), n_rivals)
        return [rng.choice(self.wordings[triple]) for triple in chosen]

    def collate(self, examples):
        """Makes a batch.

        Arguments
        ---------
        examples : list of dict
            Of a dataset.

        Returns
        -------
        Batch
        """
        if not self.stage.align and self.epoch:
            # Clips without a question would be heard for nothing.
            examples = [e for e in examples if e["turns"]] or examples[:1]
        rows = [self.trainee.row(e["turns"]) for e in examples]
        any_turns = any(row.branches for row in rows)
        given = [i for i, e in enumerate(examples) if self._is_given(e)]
        return Batch(
            [e["id"] for e in examples],
            [e["item"] for e in examples],
            rows if any_turns else [],
            self.targets(examples),
            given if any_turns else [],
        )

    def _is_given(self, example):
        """Whether a clip's words and names are given in this epoch."""
        if self.trainee.model.readout is None:
            return False
        rng = random.Random(f"{self.seed} {self.epoch} given {example['id']}")
        given = rng.random() < self.stage.given
        return given or example["split"] == UNRECORDED

    def targets(self, rows):
        """What should be heard in clips.

        Arguments
        ---------
        rows : list of dict
            With ``spoken_text``, ``sound_id`` and ``voice``.

        Returns
        -------
        Targets
        """
        return Targets(
            [self._words(row["spoken_text"]) for row in rows],
            {
                "sound": [self.sounds.index(r["sound_id"]) for r in rows],
                "speaker": [self._speaker(r["voice"]) for r in rows],
            },
        )

    def _speaker(self, voice):
        """Number of a voice's description."""
        described = tuple(self.speakers.get(voice, []))
        if described not in self.voices:
            return UNKNOWN
        return self.voices.index(described)

    def _names(self, names):
        """Names as tokens in the middle of a text: "Rain." as " rain"."""
        names = [name.lower().rstrip(".") for name in names]
        return [self.trainee.model.llm.tokenize(f" {n}") for n in names]

    def _words(self, text):
        """Tokens of what is said, as in the middle of a text."""
        return self.trainee.model.llm.tokenize(f" {text}")
