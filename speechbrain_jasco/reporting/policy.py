"""What pages of the project may do: their own style and script, and sounds.

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64
import hashlib


def policy(style, script):
    """Write a Content-Security-Policy for a page that is one file.

    Arguments
    ---------
    style, script : str
        What stands in the page.

    Returns
    -------
    str
        Nothing but these two runs, nothing is asked for but sounds beside the
        page.

    Example
    -------
    >>> policy("p {}", "let x;").partition(";")[0]
    "default-src 'none'"
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        "img-src data:; media-src file: 'self'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(text):
    """A policy's name for an inline text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
