"""The paper's three checks of a triple, by any language model.

    triple --> (a) does the behaviour follow from both?             --> verdict
           --> (b) what are they doing? five instructions --> same? --> share
           --> (c) the same from sound or words alone     --> same? --> neither

arXiv 2409.14526, section III-A. A check passes, fails, or is ``unparsed``: the
model did not say. ``verification.py`` runs them over a set of triples.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

from speechbrain_jasco.building.asking import chat
from speechbrain_jasco.building.json_reply import read_choice
from speechbrain_jasco.judging.llm_judge import fence, quoted

FOLLOWS = ["yes", "no"]
COMPARE = ["same", "different"]
CHECKS = ("follows", "likeliest", "both_needed")


class Case(NamedTuple):
    """What is checked: the texts of one triple."""

    name: str
    sound: str
    words: str
    behaviour: str


class Result(NamedTuple):
    """Outcome of one check: ``pass``, ``fail`` or ``unparsed``, and why."""

    name: str
    check: str
    status: str
    reason: str
    adjust: str = ""


class Opinion(NamedTuple):
    """Whether an open answer is the behaviour: same, different or None."""

    verdict: str
    answer: str
    reason: str


class Checker:
    """Asks the questions of the three checks and reads the replies.

    Arguments
    ---------
    asker : Asker
        Asks them.
    prompts : dict
        ``hparams/prompts/check_triples.yaml``.
    form : bool
        Whether verdicts are picked from label probabilities instead of
        written, for a model too small to write JSON.
    """

    def __init__(self, asker, prompts, form=False):
        self.asker = asker
        self.prompts = prompts
        self.form = form

    def check(self, cases, share):
        """Check cases.

        Arguments
        ---------
        cases : list of Case
            What to check.
        share : float
            ``likeliest_share``.

        Returns
        -------
        list of Result
            Three for each case, in order.
        """
        both = self.opinions(cases, self.prompts["both"])
        alone = self.opinions(
            cases, [self.prompts["sound_alone"], self.prompts["words_alone"]]
        )
        results = []
        for i, follows in enumerate(self.follows(cases)):
            name = cases[i].name
            results += [
                follows,
                Result(name, "likeliest", *likeliest(both[i], share)),
                Result(name, "both_needed", *both_needed(*alone[i])),
            ]
        return results

    def follows(self, cases):
        """Check (a).

        Arguments
        ---------
        cases : list of Case
            What to check.

        Returns
        -------
        list of Result
        """
        prompt = self.prompts["follows"]
        chats = [
            chat(prompt["case"].format(**case._asdict()), prompt["system"])
            for case in cases
        ]
        rows = self.asker.ask(chats, **self._options(FOLLOWS))
        results = []
        for case, row in zip(cases, rows, strict=True):
            verdict, said = read_choice(row["text"], "verdict", FOLLOWS)
            status = {"yes": "pass", "no": "fail"}.get(verdict, "unparsed")
            adjust = str(said.get("adjust", ""))
            if status == "fail" and not adjust:
                adjust = "choose a behaviour that needs the sound and the words"
            results.append(
                Result(
                    case.name,
                    "follows",
                    status,
                    _reason(row, said) if verdict else _no_verdict(row),
                    adjust if status == "fail" else "",
                )
            )
        return results

    def opinions(self, cases, instructions):
        """Ask openly, and whether the answers are the behaviour.

        Arguments
        ---------
        cases : list of Case
            What to check.
        instructions : list of str
            With ``{sound}`` and ``{words}``.

        Returns
        -------
        list of list of Opinion
            Per case, one for each instruction.
        """
        pairs = [(case, text) for case in cases for text in instructions]
        rows = self.asker.ask(
            [chat(text.format(**case._asdict())) for case, text in pairs]
        )
        answers = [row["text"].strip() for row in rows]
        compared = iter(
            self.asker.ask(
                [
                    self._comparison(case, answer)
                    for (case, _), answer in zip(pairs, answers, strict=True)
                    if answer
                ],
                **self._options(COMPARE),
            )
        )
        opinions = []
        for row, answer in zip(rows, answers, strict=True):
            if not answer:
                opinions.append(Opinion(None, "", _no_verdict(row)))
                continue
            reply = next(compared)
            verdict, said = read_choice(
                reply["text"], "verdict", COMPARE, answer
            )
            reason = _reason(reply, said) if verdict else _no_verdict(reply)
            opinions.append(Opinion(verdict, answer, reason))
        step = len(instructions)
        return [opinions[i : i + step] for i in range(0, len(opinions), step)]

    def _comparison(self, case, answer):
        """The chat that compares an open answer with the behaviour."""
        prompt = self.prompts["compare"]
        text = prompt["case"].format(
            behaviour=case.behaviour, answer=quoted(answer), fence=fence(answer)
        )
        return chat(text, prompt["system"])

    def _options(self, values):
        """The generator's options for a verdict (dict)."""
        return {"form": {"verdict": values}} if self.form else {}


def likeliest(opinions, share):
    """Decide (b); what the model did not say counts for neither side.

    Arguments
    ---------
    opinions : list of Opinion
        One per instruction.
    share : float
        How many of them must be ``same``.

    Returns
    -------
    tuple of str
        Status, reason and what to adjust.

    Example
    -------
    >>> same, other = Opinion("same", "", ""), Opinion("different", "Cook.", "")
    >>> unsaid = Opinion(None, "", "")
    >>> likeliest([same, same, other], 0.6)[0]
    'pass'
    >>> likeliest([same, other, other], 0.6)[0]
    'fail'
    >>> likeliest([same, unsaid, other], 0.6)[0]
    'unparsed'
    """
    same = sum(opinion.verdict == "same" for opinion in opinions)
    unsaid = sum(opinion.verdict is None for opinion in opinions)
    reason = f"{same} of {len(opinions)} the same, {unsaid} unparsed"
    if same >= share * len(opinions):
        return "pass", reason, ""
    if same + unsaid >= share * len(opinions):
        return "unparsed", reason, ""
    other = next(o.answer for o in opinions if o.verdict == "different")
    return (
        "fail",
        reason,
        f"rival answer: {other} Let the line rule it out, or reword",
    )


def both_needed(sound, words):
    """Decide (c).

    Arguments
    ---------
    sound, words : Opinion
        On the answer from the sound alone, and from the words alone.

    Returns
    -------
    tuple of str
        Status, reason and what to adjust.

    Example
    -------
    >>> other = Opinion("different", "They sail.", "")
    >>> both_needed(Opinion("same", "They cook.", ""), other)[:2]
    ('fail', 'sound alone: They cook.')
    """
    given_away = [
        (name, opinion.answer)
        for name, opinion in (("sound", sound), ("words", words))
        if opinion.verdict == "same"
    ]
    if given_away:
        name, answer = given_away[0]
        part = "line" if name == "words" else "behaviour"
        return "fail", f"{name} alone: {answer}", f"change the {part}"
    answers = f"sound alone: {sound.answer} Words alone: {words.answer}"
    if None in (sound.verdict, words.verdict):
        return "unparsed", answers, ""
    return "pass", answers, ""


def _reason(row, said):
    """The model's own reason; what it wrote, if it gave none (str)."""
    return str(said.get("reason") or row["text"])


def _no_verdict(row):
    """Why there is no verdict (str)."""
    return row["reason"] or f"no single listed verdict in: {row['text']}"
