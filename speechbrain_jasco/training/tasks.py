"""What a clip is used for: the training tasks.

    clip: words, sound, speaker, answer --+
    task: instructions, answer template --+--> Turn(question, answer)

A task whose ``context`` is given never hears the clip: the text stands in the
audio's place. Such turns keep the LLM reasoning over words it can read while
it learns to hear.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from typing import NamedTuple

FIELDS = ("words", "sound", "speaker", "answer")
_FIELD = re.compile(r"\{(\w+)\}")


class Turn(NamedTuple):
    """One question about a clip, with its answer.

    Arguments
    ---------
    task : str
        Name of the task.
    question : str
        The instruction.
    answer : str
        What the LLM shall learn to say.
    context : str, optional
        What stands in the audio's place, if the clip is not to be heard.
    rivals : list of str
        Answers that are right elsewhere.

    Example
    -------
    >>> Turn("sound", "What is heard?", "Rain.").context is None
    True
    """

    task: str
    question: str
    answer: str
    context: str | None = None
    rivals: list[str] = ()


class Task:
    """A task with its wordings.

    Arguments
    ---------
    instructions : list of str
        Questions to choose from.
    answer : str
        Template with some of ``{words}``, ``{sound}``, ``{speaker}``,
        ``{answer}``.
    context : str, optional
        Template of the text that stands in the audio's place.

    Raises
    ------
    ValueError
        If there is no instruction or a template has an unknown field.

    Example
    -------
    >>> task = Task(["What do you hear?"], "I hear {sound}.")
    >>> task.suits({"sound": ["rain"]}), task.suits({"sound": []})
    (True, False)
    """

    def __init__(self, instructions, answer, context=None):
        self.instructions = list(instructions)
        self.answer = answer
        self.context = context
        self.fields = set(_FIELD.findall(answer + (context or "")))
        unknown = sorted(self.fields - set(FIELDS))
        if unknown or not self.instructions:
            raise ValueError(
                f"task {answer!r}: got the fields {sorted(self.fields)} and "
                f"{len(self.instructions)} instructions; expected some of "
                f"{', '.join(FIELDS)} and at least one instruction"
            )

    def suits(self, wordings):
        """Whether a clip has what the task asks for.

        Arguments
        ---------
        wordings : dict
            Field -> list of str.

        Returns
        -------
        bool
        """
        return all(wordings.get(field) for field in self.fields)

    @property
    def concludes(self):
        """Whether it asks for the behaviour and nothing else (bool)."""
        return self.answer == "{answer}"

    def turn(self, name, wordings, rng, rivals=()):
        """Draws a turn.

        Arguments
        ---------
        name : str
            Of the task.
        wordings : dict
            Field -> list of str.
        rng : random.Random
            Chooses the instruction and one wording per field.
        rivals : list of str
            Answers that are right elsewhere, for a task that concludes.

        Returns
        -------
        Turn
        """
        question = rng.choice(self.instructions)
        chosen = {f: rng.choice(wordings[f]) for f in sorted(self.fields)}
        answer = fill(self.answer, chosen)
        context = None if self.context is None else fill(self.context, chosen)
        rivals = list(rivals) if self.concludes else []
        return Turn(name, question, answer, context, rivals)


def fill(template, fields):
    """Fills a template; braces in what is filled in are text.

    Arguments
    ---------
    template : str
        With ``{field}``.
    fields : dict
        Field -> text.

    Returns
    -------
    str

    Example
    -------
    >>> fill("{sound}: {words}", {"sound": "Rain", "words": "{oh}"})
    'Rain: {oh}'
    """
    return _FIELD.sub(lambda match: fields[match.group(1)], template)


def draw_turns(tasks, weights, wordings, n_turns, rng, rivals=()):
    """Draws different tasks for a clip.

    Arguments
    ---------
    tasks : dict
        Name -> Task.
    weights : dict
        Name -> weight; a task that is not there, or weighs 0, is not drawn.
    wordings : dict
        Field -> list of str.
    n_turns : int
        How many at most.
    rng : random.Random
        Draws.
    rivals : list of str
        Answers that are right elsewhere.

    Returns
    -------
    list of Turn
        Fewer where the clip suits fewer tasks.

    Raises
    ------
    ValueError
        If a weight names no task.

    Example
    -------
    >>> import random
    >>> tasks = {"sound": Task(["What?"], "{sound}")}
    >>> wordings = {"sound": ["Rain."]}
    >>> draw_turns(tasks, {"sound": 1}, wordings, 2, random.Random(0))
    [Turn(task='sound', question='What?', answer='Rain.', context=None, rivals=[])]
    """
    unknown = sorted(set(weights) - set(tasks))
    if unknown:
        raise ValueError(
            f"weights for the tasks {unknown}, which are not there; expected "
            f"some of {', '.join(tasks)}"
        )
    left = {
        name: weight
        for name, weight in weights.items()
        if weight > 0 and tasks[name].suits(wordings)
    }
    turns = []
    while left and len(turns) < n_turns:
        (name,) = rng.choices(list(left), list(left.values()))
        turns.append(tasks[name].turn(name, wordings, rng, rivals))
        del left[name]
    return turns
