"""What a generator returns.

A generator is anything with ``complete(chats, on_reply=None) -> list of
Reply``: one reply per chat, in order, and ``on_reply(index, reply)`` called as
soon as each is there, in any order. ``check()`` raises at start-up what would
otherwise fail later; ``config()`` tells everything its replies depend on.
Judges, triple checks and triple proposals share this one contract.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple, Optional

NO_OPINION = "no listed value"


class Reply(NamedTuple):
    """One reply of a language model.

    Arguments
    ---------
    text : str
        What the model wrote; "" after a failure.
    status : str
        ``ok`` or ``transport_error``.
    reason : str
        Why there is no text.
    seconds : float
        Wall-clock time of the call (of the batch, divided by its size).
    probabilities : dict, optional
        Of a filled-in form (``label_form.py``): field -> {value: probability}.

    Example
    -------
    >>> Reply("Paris.").status
    'ok'
    """

    text: str
    status: str = "ok"
    reason: str = ""
    seconds: float = 0.0
    probabilities: Optional[dict] = None


def form_reply(probabilities, seconds=0.0):
    """Write a filled-in form as a reply.

    Arguments
    ---------
    probabilities : dict
        Field -> {value: probability}, or None where there is no opinion.
    seconds : float
        Time it took.

    Returns
    -------
    Reply
        Its text has a line per field with the most likely value.

    Example
    -------
    >>> form_reply({"Rating": {"0": 0.25, "2": 0.75}}).text
    'Rating: 2'
    """
    lines = []
    for field, chances in probabilities.items():
        likeliest = max(chances, key=chances.get) if chances else NO_OPINION
        lines.append(f"{field}: {likeliest}")
    return Reply("\n".join(lines), seconds=seconds, probabilities=probabilities)
