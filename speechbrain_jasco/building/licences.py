"""Licences of recordings by their SPDX ids, and which of them will do.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from fnmatch import fnmatchcase

UNKNOWN = "unknown"
# Creative Commons that allow commercial use and changes, for ``is_allowed``.
FREE = ("CC0-*", "CC-BY-[0-9]*")

# Of data sets and packages, beside Creative Commons: SPDX ids, and Debian's
# short names for the same.
OTHERS = {
    name.lower(): name
    for name in (
        "Apache-2.0",
        "Artistic-1.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "LGPL-2.1-or-later",
        "MIT",
        "LicenseRef-public-domain",
        "LicenseRef-CC-Sampling-Plus-1.0",
    )
} | {
    "gpl-2": "GPL-2.0-only",
    "gpl-2+": "GPL-2.0-or-later",
    "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later",
    "public-domain": "LicenseRef-public-domain",
}
_CC = r"^https?://(?:www\.)?creativecommons\.org"
_CC0_URL = re.compile(_CC + r"/publicdomain/zero/1\.0")
_SAMPLING_URL = re.compile(_CC + r"/licenses/sampling\+/1\.0")
_CC_URL = re.compile(_CC + r"/licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)\b")
_CC_ID = re.compile(r"^cc-(by(?:-nc)?(?:-nd|-sa)?)-(\d\.\d)$")


def licence_of(text):
    """Name a licence.

    Arguments
    ---------
    text : str
        SPDX id, Debian's short name or a Creative Commons URL.

    Returns
    -------
    str
        The SPDX id, or ``unknown``.

    Example
    -------
    >>> licence_of("http://creativecommons.org/licenses/by-nc/3.0/")
    'CC-BY-NC-3.0'
    >>> licence_of("gpl-2+"), licence_of("free")
    ('GPL-2.0-or-later', 'unknown')
    """
    text = text.strip().lower()
    if _CC0_URL.match(text) or text == "cc0-1.0":
        return "CC0-1.0"
    if _SAMPLING_URL.match(text):
        return OTHERS["licenseref-cc-sampling-plus-1.0"]
    match = _CC_URL.match(text) or _CC_ID.match(text)
    if match:
        return f"CC-{match.group(1).upper()}-{match.group(2)}"
    return OTHERS.get(text, UNKNOWN)


def is_allowed(licence, patterns):
    """Whether a licence is one of those wanted.

    Arguments
    ---------
    licence : str
        In any form that ``licence_of`` reads.
    patterns : iterable of str
        SPDX ids, ``*`` for any text: ``CC0-*``, ``CC-BY-[0-9]*``.

    Returns
    -------
    bool

    Example
    -------
    >>> is_allowed("CC-BY-4.0", ["CC0-*", "CC-BY-[0-9]*"])
    True
    >>> is_allowed("CC-BY-NC-4.0", ["CC0-*", "CC-BY-[0-9]*"])
    False
    """
    name = licence_of(licence)
    return any(fnmatchcase(name, pattern) for pattern in patterns)
