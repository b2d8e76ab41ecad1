"""A form filled in by a chat server that returns log-probabilities.

A chat cannot be continued in the middle of a line everywhere, so each field is
a request of its own, for a single token and the likeliest tokens in its place.
What all requests of a case share, the server's prefix cache reads once.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math

# As many as OpenAI and vLLM give by default.
TOP_LOGPROBS = 20
# A model that mostly wants to say something else has no opinion on a field.
MIN_LISTED = 0.5


def field_chat(chat, field, values):
    """Ask for one field at the end of a chat.

    Arguments
    ---------
    chat : list of dict
        Messages, the user's last.
    field : str
        Its name.
    values : list of str
        What is listed for it.

    Returns
    -------
    list of dict

    Example
    -------
    >>> chat = [{"role": "user", "content": "Grade it."}]
    >>> field_chat(chat, "Rating", ["0", "1"])[0]["content"]
    'Grade it.\\n\\nNow the Rating alone, a single word: 0 or 1.'
    """
    *others, last = values
    request = (
        f"Now the {field} alone, a single word: {', '.join(others)} or {last}."
    )
    *before, user = chat
    return [*before, {**user, "content": f"{user['content']}\n\n{request}"}]


def field_options(request):
    """Change a request's options to ask for one token's log-probabilities.

    Arguments
    ---------
    request : dict
        The options of a request for text.

    Returns
    -------
    dict

    Example
    -------
    >>> field_options({"max_completion_tokens": 512})["max_completion_tokens"]
    1
    """
    newer = "max_completion_tokens"
    length = newer if newer in request else "max_tokens"
    asked = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return {**request, **asked, length: 1}


def field_chances(choice, values):
    """Read the probabilities of listed values from a reply.

    Arguments
    ---------
    choice : openai.types.chat.chat_completion.Choice
        Of the server's reply.
    values : list of str
        What is listed.

    Returns
    -------
    dict or None
        Value -> probability, over the listed values; None if all of them
        together have less than ``MIN_LISTED``.

    Raises
    ------
    ValueError
        If the server returned no log-probabilities.
    """
    content = getattr(choice.logprobs, "content", None)
    top = content[0].top_logprobs if content else None
    if not top:
        raise ValueError(
            "the server returned no top_logprobs, which a form needs; ask for "
            "text (form: null) or serve the model with log-probabilities."
        )
    chances = dict.fromkeys(values, 0.0)
    for entry in top:
        value = listed_value(entry.token, values)
        if value is not None:
            chances[value] += math.exp(min(entry.logprob, 0.0))
    total = sum(chances.values())
    if not total >= MIN_LISTED:  # NaN neither
        return None
    return {value: chance / total for value, chance in chances.items()}


def listed_value(token, values):
    """Find the value that a token begins.

    Arguments
    ---------
    token : str
        As the server writes it.
    values : list of str
        What is listed.

    Returns
    -------
    str or None
        None unless it is exactly one.

    Example
    -------
    >>> values = ["audio", "speech", "both", "neither"]
    >>> [listed_value(token, values) for token in [" Speech", "ne", "a", ""]]
    ['speech', 'neither', None, None]
    """
    start = token.strip().casefold()
    whole = [value for value in values if value.casefold() == start]
    if whole or len(start) < 2:  # "a" may be an article
        return whole[0] if len(whole) == 1 else None
    begun = [value for value in values if value.casefold().startswith(start)]
    return begun[0] if len(begun) == 1 else None
