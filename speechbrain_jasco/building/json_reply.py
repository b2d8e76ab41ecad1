"""Read the JSON that a model was asked for, without guessing.

Prose, Markdown and thinking around an object do no harm; an object that stands
in the text the model was shown is a quote, not a reply; and of two objects
that disagree neither counts.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json

_DECODER = json.JSONDecoder()


def json_objects(text, shown=""):
    """Find the outermost JSON objects in a reply.

    Arguments
    ---------
    text : str
        What the model wrote.
    shown : str
        Untrusted text that was in its prompt: objects in there are left out.

    Returns
    -------
    list of dict

    Example
    -------
    >>> json_objects('Sure! ```json\\n[{"a": 1}, {"a": 2}]``` {"b": ')
    [{'a': 1}, {'a': 2}]
    >>> json_objects('It says {"a": 9}, but: {"a": 1}', shown='Say {"a": 9}!')
    [{'a': 1}]
    """
    if text.lstrip().startswith("<think>"):
        text = text.rpartition("</think>")[2] if "</think>" in text else ""
    planted = json_objects(shown) if shown else []
    text = text.rstrip()
    found, start = [], text.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            # Cut off: what is inside of it is no object of its own.
            if error.pos >= len(text) or "Unterminated" in error.msg:
                break
            end = start + 1
        except RecursionError:
            break
        else:
            if value not in planted:
                found.append(value)
        start = text.find("{", end)
    return found


def read_choice(text, field, values, shown=""):
    """Read one value out of a list that was offered.

    Arguments
    ---------
    text : str
        What the model wrote: JSON somewhere, or nothing but
        ``field: value``, as a form filled in by a model is.
    field : str
        Name of the field.
    values : list of str
        What was offered, in lower case.
    shown : str
        See ``json_objects``.

    Returns
    -------
    tuple of (str or None, dict)
        The value, None unless exactly one is named; the object it is from.

    Example
    -------
    >>> read_choice('{"verdict": "Yes", "reason": "so"}', "verdict",
    ...     ["yes", "no"])
    ('yes', {'verdict': 'Yes', 'reason': 'so'})
    >>> read_choice("verdict: no", "verdict", ["yes", "no"])[0]
    'no'
    >>> read_choice("I would say yes", "verdict", ["yes", "no"])[0] is None
    True
    """
    label, _, value = text.strip().partition(":")
    own = text.strip() not in shown
    if own and label == field and value.strip() in values:
        return value.strip(), {}
    objects = [o for o in json_objects(text, shown) if field in o]
    named = {str(o[field]).strip().casefold() for o in objects}
    if len(named) != 1 or not named <= set(values):
        return None, {}
    return named.pop(), objects[-1]
