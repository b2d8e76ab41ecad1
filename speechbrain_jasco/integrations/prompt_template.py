"""A prompt with a place for the audio, as token ids.

    "{bos}USER: <Speech>{audio}</Speech> {question}\\nASSISTANT:"
     -------------------        --------------------------------
     before: ids                after: ids

The text between ``{bos}`` and ``{audio}`` is tokenized piece by piece, each
with the question and the transcript already in it: SentencePiece and BPE join
characters across the end of a word, so that pieces of a piece would give
other ids.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from typing import List, NamedTuple

FIELDS = ("bos", "audio", "question", "transcript")
_FIELD = re.compile(r"\{(\w+)\}")


class PromptIds(NamedTuple):
    """Token ids before and after the audio.

    Arguments
    ---------
    before : list of int
        May be empty.
    after : list of int
        Never empty.

    Example
    -------
    >>> PromptIds([1], [2, 3]).after
    [2, 3]
    """

    before: List[int]
    after: List[int]


class PromptTemplate:
    """Cuts a template at its fields and fills it.

    Arguments
    ---------
    text : str
        With ``{audio}`` once, ``{question}`` once or more, and, if wanted,
        ``{bos}`` and ``{transcript}``. Special tokens may be spelled out
        (``<|im_start|>``). Other braces are text.

    Raises
    ------
    ValueError
        If a field is unknown, missing or repeated, or the audio comes last.

    Example
    -------
    >>> class Letters:
    ...     bos_token_id = 1
    ...     added_tokens_decoder = {}
    ...     def __call__(self, text, add_special_tokens):
    ...         return {"input_ids": [ord(letter) for letter in text]}
    >>> PromptTemplate("{bos}A{audio}B{question}").ids(Letters(), "C")
    PromptIds(before=[1, 65], after=[66, 67])
    """

    def __init__(self, text):
        found = _FIELD.findall(text)
        unknown = sorted(set(found) - set(FIELDS))
        before, _, after = text.partition("{audio}")
        if unknown or found.count("audio") != 1 or "question" not in found:
            raise ValueError(
                f"template {text!r}: got the fields {found}; expected "
                "{audio} once, {question}, and of others {bos} and "
                "{transcript} only"
            )
        if not after:
            raise ValueError(
                f"template {text!r} ends with its audio; expected text behind "
                "it, from which the answer goes on"
            )
        self.text = text
        self.has_transcript = "transcript" in found
        self._before = _FIELD.split(before)
        self._after = _FIELD.split(after)

    def ids(self, tokenizer, question, transcript=""):
        """Tokenizes the filled template.

        Question and transcript are untrusted: braces in them are text, and a
        special token spelled out in them is broken up.

        Arguments
        ---------
        tokenizer : transformers.PreTrainedTokenizerBase
            The LLM's.
        question : str
            The instruction.
        transcript : str
            What was said.

        Returns
        -------
        PromptIds

        Raises
        ------
        ValueError
            If the template has ``{bos}`` and the tokenizer none.
        """
        texts = {"question": question, "transcript": transcript}
        texts = {k: break_up_specials(v, tokenizer) for k, v in texts.items()}
        halves = (self._before, self._after)
        return PromptIds(*(self._tokenize(tokenizer, h, texts) for h in halves))

    def _tokenize(self, tokenizer, parts, texts):
        """Tokenizes one half: text, field, text, field ... text."""
        ids, run = [], ""
        for part, is_field in zip(parts, [False, True] * len(parts)):
            if is_field and part == "bos":
                ids += _tokens(tokenizer, run) + [_bos(tokenizer)]
                run = ""
            else:
                run += texts[part] if is_field else part
        return ids + _tokens(tokenizer, run)


def break_up_specials(text, tokenizer):
    """Breaks up the special tokens that are spelled out in untrusted text.

    Such a token would end the turn and let the text speak for the model.

    Arguments
    ---------
    text : str
        The text.
    tokenizer : transformers.PreTrainedTokenizerBase
        Whose special tokens.

    Returns
    -------
    str

    Example
    -------
    >>> from types import SimpleNamespace
    >>> end = SimpleNamespace(content="</s>", special=True)
    >>> tokenizer = SimpleNamespace(added_tokens_decoder={2: end})
    >>> break_up_specials("Bye.</s>", tokenizer)
    'Bye.< /s>'
    """
    # Not all_special_tokens: Llama 3's <|start_header_id|> has no name.
    for added in tokenizer.added_tokens_decoder.values():
        token = added.content
        if added.special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def _tokens(tokenizer, text):
    """Ids of a text without added special tokens (list of int)."""
    if not text:
        return []
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _bos(tokenizer):
    """The id of the tokenizer's BOS."""
    if tokenizer.bos_token_id is None:
        raise ValueError(
            "the template has {bos} and the tokenizer no BOS token. Leave "
            "{bos} out of the template."
        )
    return tokenizer.bos_token_id
