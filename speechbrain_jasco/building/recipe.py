"""The recipe of a data set: what it is made of, checked and planned.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from typing import NamedTuple

from speechbrain_jasco.building.plan import Planner, plan_clips
from speechbrain_jasco.building.supplies import (
    Supplies,
    assign_voices,
    deal,
)
from speechbrain_jasco.building.workers import write_whole


class Recipe(NamedTuple):
    """What a data set is made of.

    ``speech`` is a SpeechMaker, ``voice_splits`` part -> names of voices,
    ``ranges`` what is drawn per clip, ``size`` how many clips.
    """

    triples: object
    bank: object
    speech: object
    voice_splits: dict
    rooms: object
    ranges: dict
    size: dict
    seed: int


def check_recipe(recipe):
    """Fail now rather than after an hour.

    Arguments
    ---------
    recipe : Recipe
        What is to be built.
    """
    for part in (recipe.speech.speakers, recipe.bank, recipe.rooms):
        part.check()


def make_plan(recipe):
    """Draw the clips of a recipe.

    Arguments
    ---------
    recipe : Recipe
        What they are made of.

    Returns
    -------
    list of PlannedClip

    Raises
    ------
    ValueError
        If recordings, voices or ranges do not allow it.
    """
    wanted = {triple.sound_id for triple in recipe.triples.triples}
    recordings = [r for r in recipe.bank.recordings() if r.sound_id in wanted]
    lacking = sorted(wanted - {r.sound_id for r in recordings})
    if lacking:
        raise ValueError(
            f"the sound banks have no recording of {lacking}, which triples "
            "need. Add a bank that does, or take the triples out."
        )
    supplies = Supplies(
        deal(recordings, recipe.seed),
        assign_voices(recipe.speech.speakers.voices(), recipe.voice_splits),
    )
    planner = Planner(supplies, recipe.ranges, recipe.seed)
    return plan_clips(recipe.triples, planner, recipe.size)


def keep_to(folder, recipe):
    """Refuse to build into a folder that holds another build.

    Triples may be added to a build; whatever else it is made of may not
    change, or its files would not belong together.

    Arguments
    ---------
    folder : Path
        Of the build.
    recipe : Recipe
        What is to be built.

    Raises
    ------
    ValueError
        If the folder was begun with another recipe.
    """
    config = {
        "bank": recipe.bank.config(),
        "speech": recipe.speech.config(),
        "voice_splits": dict(recipe.voice_splits),
        "rooms": vars(recipe.rooms),
        "ranges": dict(recipe.ranges),
        "size": dict(recipe.size),
        "seed": recipe.seed,
    }
    text = json.dumps(config, indent=1, sort_keys=True, default=str)
    path = folder / "build.json"
    if not path.is_file():
        write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))
        return
    before, now = json.loads(path.read_text("utf-8")), json.loads(text)
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise ValueError(
            f"{folder} holds a build with other settings ({', '.join(changed)})"
            f"; {path} has them. Give another --output_folder, or remove it."
        )
