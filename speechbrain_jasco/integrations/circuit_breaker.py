"""When to stop asking a server that does not answer.

Authors
 * The speechbrain_jasco developers, 2026
"""

import threading


class CircuitBreaker:
    """Opens after so many calls in a row without an answer.

    Arguments
    ---------
    limit : int
        How many.

    Example
    -------
    >>> breaker = CircuitBreaker(2)
    >>> breaker.note(False), breaker.note(False), breaker.is_open
    (None, None, True)
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.failures = 0
        self._lock = threading.Lock()

    @property
    def is_open(self):
        """Whether to stop asking (bool)."""
        return self.failures >= self.limit

    def note(self, answered: bool):
        """Count a call.

        Arguments
        ---------
        answered : bool
            Whether anything came back.
        """
        with self._lock:
            self.failures = 0 if answered else self.failures + 1

    def try_again(self):
        """Let one call through; a further failure opens it again."""
        with self._lock:
            self.failures = min(self.failures, self.limit - 1)
