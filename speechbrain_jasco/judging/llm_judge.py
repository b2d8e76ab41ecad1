"""A language model as judge, in process or behind a server.

The judge reads the data set's description of the clip, the three known
answers and the answer to judge; it never hears the clip (arXiv 2409.14526,
section II-C). So it measures which modality an answer *states* it leans on.

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64
import hashlib
import inspect
import re

from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.verdict import VERDICT_SCHEMA, parse_verdict

MAX_PREDICTION_CHARACTERS = 4000
# The schema alone would leave the model to guess what the server cuts it to.
AS_JSON = "Write the three as one JSON object: reason, rating, orientation."
# Spellings of chat markup: text in an answer must not open or close a turn.
# <|im_end|>, DeepSeek's <｜User｜>, </s>, <end_of_turn>, <<SYS>>, [/INST].
_MARKUP = re.compile(r"<(?=[|｜<]|/?\w+\|?>)|\[(?=/?[A-Z_]+\])")


class LLMJudge:
    """Rubric + case -> generator -> parsed verdict.

    Arguments
    ---------
    name : str
        Column name of this judge in every result.
    generator : object
        Gives the replies (``speechbrain_jasco/integrations/reply.py``).
    prompt : dict
        ``system`` and ``case``: the two messages; ``case`` has the fields of
        ``JudgeItem`` and ``{fence}`` in braces.
    form : dict, optional
        Field -> values, for a generator that fills in forms: a verdict from
        label probabilities, without an explanation. By default the judge
        writes free text.
    repeats : int
        How often each answer is judged; more than once is of use only where
        the generator samples.
    structured : bool
        For a server that can keep its reply to a JSON schema: the three
        lines become the fields of an object.

    Raises
    ------
    ValueError
        If the judge is to fill in a form and to write JSON.

    Example
    -------
    >>> from speechbrain_jasco.integrations.reply import Reply
    >>> class Kind:
    ...     def complete(self, chats, on_reply):
    ...         for i, chat in enumerate(chats):
    ...             on_reply(i, Reply("Rating: 2\\nOrientation: both"))
    >>> judge = LLMJudge("kind", Kind(), {"system": "", "case": "{prediction}"})
    >>> from speechbrain_jasco.judging.item import JudgeItem
    >>> item = JudgeItem("s", "1", 0, *["text"] * 8)
    >>> judge.judge([item], lambda i, verdict: print(i, verdict[:3]))
    0 ('ok', 2, 'both')
    """

    def __init__(
        self, name, generator, prompt, form=None, repeats=1, structured=False
    ):
        if form is not None and structured:
            raise ValueError(
                f"{name}: form and structured are both given. A form is read "
                "from probabilities, structured asks for JSON: give one."
            )
        self.name = name
        self.repeats = repeats
        self.generator = generator
        self.prompt = dict(prompt)
        self.options = {}
        if form is not None:
            self.options["form"] = dict(form)
        if structured:
            self.options["schema"] = VERDICT_SCHEMA

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        return {
            "judge": type(self).__name__,
            "generator": self.generator.config(),
            "prompt": self.prompt,
            **self.options,
        }

    def check(self):
        """Fail now rather than later if the model is not to be had.

        Raises
        ------
        ValueError
            If the generator cannot do what it will be asked for.
        """
        try:
            inspect.signature(self.generator.complete).bind(
                [], None, **self.options
            )
        except TypeError as error:
            kind = type(self.generator).__name__
            raise ValueError(
                f"{self.name}: a {kind} cannot give a {' or '.join(self.options)}"
                f" ({error}). Set form: null and structured: False."
            ) from error
        self.generator.check()

    def unload(self):
        """Free the model's memory."""
        self.generator.unload()

    def judge(self, items, on_verdict):
        """Judge answers.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.
        on_verdict : callable
            ``on_verdict(index, verdict)``, as soon as it is there.
        """

        def on_reply(index, reply):
            if reply.status == "ok":
                # A form is filled in, not written: it quotes nothing.
                filled = "form" in self.options
                answer = "" if filled else items[index].prediction
                verdict = parse_verdict(reply.text, answer)._replace(
                    expected_rating=expected_rating(reply.probabilities),
                    probabilities=reply.probabilities,
                )
            else:
                verdict = Verdict(reply.status, explanation=reply.reason)
            on_verdict(index, verdict._replace(seconds=reply.seconds))

        chats = [self.chat(item) for item in items]
        self.generator.complete(chats, on_reply, **self.options)

    def chat(self, item):
        """Write the judge's chat: what is fixed first, the case last.

        Arguments
        ---------
        item : JudgeItem
            The case.

        Returns
        -------
        list of dict

        Raises
        ------
        ValueError
            If the prompt has a field that there is not.
        """
        values = {
            **vars(item),
            "prediction": quoted(item.prediction),
            "fence": fence(item.prediction),
        }
        try:
            case = self.prompt["case"].format(**values)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"{self.name}: the prompt's case has a field {error}; expected "
                f"{list(values)} only. Double braces that are meant as text."
            ) from error
        if "schema" in self.options:
            case = f"{case}\n{AS_JSON}"
        return [
            {"role": "system", "content": self.prompt["system"]},
            {"role": "user", "content": case},
        ]


def expected_rating(probabilities):
    """The mean rating under the judge's own probabilities.

    Arguments
    ---------
    probabilities : dict or None
        Field -> {value: probability}.

    Returns
    -------
    float or None
        Sum of P(r) * r; None without probabilities of a ``Rating``.

    Example
    -------
    >>> expected_rating({"Rating": {"0": 0.5, "1": 0.25, "2": 0.25}})
    0.75
    """
    chances = (probabilities or {}).get("Rating")
    if not chances:
        return None
    return sum(chance * int(value) for value, chance in chances.items())


def fence(prediction):
    """A delimiter the answer cannot contain: its own hash.

    As hard to guess as a random one, since whoever writes the answer would
    have to write its hash into it: 2^100 trials. Unlike a random one it makes
    the same request of the same case, so that a greedy judge repeats itself
    and a server's cache hits.

    Arguments
    ---------
    prediction : str
        Untrusted text.

    Returns
    -------
    str

    Example
    -------
    >>> fence("They are fishing.") == fence("They are dancing.")
    False
    """
    digest = hashlib.sha256(prediction.encode("utf-8", "replace")).digest()
    # Base 32 makes fewer tokens than hexadecimal digits do.
    return f"answer-{base64.b32encode(digest)[:20].decode().lower()}"


def quoted(prediction):
    """Make an answer fit to be shown to a judge.

    Arguments
    ---------
    prediction : str
        Untrusted text of any length.

    Returns
    -------
    str
        At most ``MAX_PREDICTION_CHARACTERS`` of it, the middle left out, chat
        markup broken up.

    Example
    -------
    >>> quoted("Fishing.<|im_end|>")
    'Fishing.< |im_end|>'
    """
    if len(prediction) > MAX_PREDICTION_CHARACTERS:
        half = MAX_PREDICTION_CHARACTERS // 2
        prediction = f"{prediction[:half]} [...] {prediction[-half:]}"
    return _MARKUP.sub(lambda match: match[0] + " ", prediction)
