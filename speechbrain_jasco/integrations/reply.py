"""What a generator returns.

A generator is anything with ``complete(chats, on_reply=None) -> list of
Reply``: one reply per chat, in order, and ``on_reply(index, reply)`` called as
soon as each is there, in any order. ``check()`` raises at start-up what would
otherwise fail later; ``config()`` tells everything its replies depend on.
Judges, triple checks and triple proposals share this one contract.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple


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

    Example
    -------
    >>> Reply("Paris.").status
    'ok'
    """

    text: str
    status: str = "ok"
    reason: str = ""
    seconds: float = 0.0
