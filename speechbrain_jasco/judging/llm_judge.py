"""A language model as judge, in process or behind a server.

The judge reads the data set's description of the clip, the three known
answers and the answer to judge; it never hears the clip (arXiv 2409.14526,
section II-C). So it measures which modality an answer *states* it leans on.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import re

from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.verdict import parse_verdict

MAX_PREDICTION_CHARACTERS = 4000
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

    def __init__(self, name, generator, prompt, form=None, repeats=1):
        self.name = name
        self.repeats = repeats
        self.generator = generator
        self.prompt = dict(prompt)
        self.options = {} if form is None else {"form": dict(form)}

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        return {
            "judge": type(self).__name__,
            "generator": self.generator.config(),
            "prompt": self.prompt,
            **self.options,
        }

    def check(self):
        """Fail now rather than later if the model is not to be had."""
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
                answer = "" if self.options else items[index].prediction
                verdict = parse_verdict(reply.text, answer)
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
        return [
            {"role": "system", "content": self.prompt["system"]},
            {"role": "user", "content": case},
        ]


def fence(prediction):
    """A delimiter the answer cannot contain: its own hash.

    As hard to guess as a random one, since whoever writes the answer would
    have to write its hash into it: 2^96 trials. Unlike a random one it makes
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
    digest = hashlib.sha256(prediction.encode("utf-8", "replace")).hexdigest()
    return f"answer-{digest[:24]}"


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
