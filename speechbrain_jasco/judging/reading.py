"""Take an answer apart by rules: what was heard, what is being done.

The three parts are those of the paper's rubric (arXiv 2409.14526, section
II-C): the sound detected, the words transcribed, the action predicted. The
patterns were shaped on the ``fit`` half of ``tests/samples/authored_answers.csv``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import difflib
import re
from typing import NamedTuple

MAX_CHARACTERS = 4000

_I = re.IGNORECASE
_QUOTE = re.compile(r"\"([^\"]{1,400})\"|(?<!\w)'(.{1,400}?)'(?!\w)")
_SENTENCE = re.compile(r"[.;:!?\n]+|\s[-–—]\s")
_CLAUSE = re.compile(
    r",\s+|\s+(?=(?:so(?!\s+(?:that|as)\b)|therefore|thus|hence|because|since|"
    r"while|although|which|this\s+(?:suggests?|indicates?|means?))\b)",
    _I,
)
_REFUSAL = re.compile(  # or words about the rating: no part of an answer
    r"(^\W*(?:i'm |i am )?sorry|\bapolog(?:y|ies)\b|\bunfortunately\b|"
    r"\b(?:unable to|can(?:not|'t)|(?:hard|not able|not possible|impossible) to) "
    r"(?:\w+ )?(?:determine|identify|infer|tell|say|hear|listen|process|know|"
    r"guess|conclude|be)\b|\bi (?:do not|don't) (?:know|have)\b|\bno guess\b|"
    r"\bnot enough information\b|\bdoes not provide\b|\blanguage model\b|"
    r"\bi (?:may|might|could) be (?:wrong|mistaken)\b|"
    r"\bother (?:explanations|interpretations|possibilities)\b|"
    r"\bcould you please\b|\bnot (?:entirely |completely )?(?:sure|certain)\b|"
    r"\btone of\b|\brating\b|\borientation\b|\bcriteria\b|\bkey ?words?\b|"
    r"\b\d points?\b|\bexplanation ?\d\b)",
    _I,
)
_REASON = re.compile(
    r"^\W*(because|since|given|reasons?\b|that explains|considering|due to|"
    r"judging (?:from|by)|based on|from (?:these|the|both)|putting|combining|"
    r"as (?:the|there)\b|all of this)",
    _I,
)
_INFERENCE = re.compile(  # what follows is concluded, whatever stands before
    r"\b(suggest\w*|indicat(?:es?|ing)|infer\w*|guess|conclu\w+|deduc\w+|gather|"
    r"hints?|assume|assuming|take it|leads? me to|would say|means? that)\b",
    _I,
)
_BELIEF = re.compile(
    r"\b(?:i|we) (?:\w+ )?(?:think|believe|suppose|suspect)\b", _I
)
_AGENT = re.compile(
    r"\b(?:they're|she's|he's|(?:they|speakers?|people|persons?|m[ae]n|wom[ae]n|"
    r"someone|somebody|one|he|she|kids?|child(?:ren)?|famil\w+|couple|group|"
    r"everyone|crew) (?:(?:is|are|has|have|were)\b(?! heard| saying| mention)|"
    r"(?:could|might|may|must) be\b))",
    _I,
)
_HEDGE = re.compile(
    r"\b(likely|probabl[ey]|presumably|possibl[ey]|perhaps|maybe|might|may be|"
    r"could|must be|think|believe|suppose|suspect|seems?|appears?|evidently|"
    r"apparently|sounds like)\b",
    _I,
)
_HEARD = re.compile(
    r"\b(there(?:'s| is| are)|hears?|heard|audible|sounds?|what is said|"
    r"noises?|background|audio|recording|clip|says?|saying|said|shout\w*|"
    r"ask(?:s|ing)|announc\w+|spoken|speech|transcript\w*|text|voices?|"
    r"words?|tone|speaks?|speaking|sentence|perceived)\b",
    _I,
)
_FRAME = re.compile(  # "This suggests that they are likely": says nothing
    r"^\W*(?:.*?\b(?:suggests?|indicates?|means?|likely|infer|conclude|guess|"
    r"think|suppose|seems|appears|deduce|gather|believe|assume|presumably|"
    r"perhaps|maybe|possibly|probably|apparently|answer is)(?: that)?\s+)?"
    r"(?:(?:and|so|but|therefore|thus|hence)\s+)?"
    r"(?:(?:they|(?:the |both )?(?:speakers?|people|persons?|man|woman|"
    r"someone|somebody))(?:\s*'re|\s+are|\s+is|\s+were|"
    r"(?=\s+(?:could|might|may|must)))?\s+)?"
    r"(?:(?:could|might|may|must) be\s+)?"
    r"(?:(?:most\s+)?(?:likely|probably|possibly|perhaps|maybe)\s+)?",
    _I,
)


_TALK = re.compile(  # too general to be an activity, as in the rubric
    r"^(?:(?:just|simply|only) )?(?:talk|speak|chatt?|communicat)\w*"
    r"(?: (?:to|with) (?:each other|one another|(?:some|an)other \w+|someone|"
    r"somebody|other people))?$|"
    r"^(?:having|in) (?:a|some kind of|some) (?:conversation|chat|talk)"
    r"(?: with (?:each other|one another|another person|someone|somebody))?$",
    _I,
)


class Reading(NamedTuple):
    """What an answer consists of: Part 3, 1 and 2 of the paper's rubric.

    Arguments
    ---------
    action : str
        The predicted action, "" if there is none.
    announced : bool
        Whether words such as "they are" or "I conclude" introduce it.
    hedged : bool
        Whether words such as "likely" or "seems" do, in some sentence.
    sounds : str
        What the answer reports to have heard.
    words : str
        What the answer reports to have been said.
    """

    action: str
    announced: bool
    hedged: bool
    sounds: str
    words: str


def read_answer(prediction, spoken_text):
    """Take an answer apart.

    Arguments
    ---------
    prediction : str
        The answer: untrusted text of any length.
    spoken_text : str
        What is said in the clip.

    Returns
    -------
    Reading

    Example
    -------
    >>> read_answer("I hear rain. He says 'Run!', so they are hiking.", "Run!")
    Reading(action='hiking', announced=True, hedged=False, sounds='I hear rain; He says', words='Run!')
    """
    text = prediction
    if len(text) > MAX_CHARACTERS:  # a conclusion stands first or last
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]}\n{text[-half:]}"
    straight = str.maketrans("‘’“”", "''\"\"")
    text = re.sub(r"[^\S\n]+", " ", text.translate(straight))
    words = [double or single for double, single in _QUOTE.findall(text)]
    text, unquoted = _cut_spoken(
        _QUOTE.sub(" ; ", text), spoken_text.translate(straight)
    )
    parts = {place: [] for place in ("announced", "hedged", "other", "heard")}
    for sentence in _SENTENCE.split(text):
        place = "other"
        for clause in _CLAUSE.split(sentence):
            if _REFUSAL.search(clause) or not re.search(r"\w{3}", clause):
                continue
            place = _place(clause, place)
            parts[place].append(clause.strip(" ,.-"))
    clauses = parts["announced"] or parts["hedged"] or parts["other"]
    actions = [strip_frame(clause) for clause in clauses]
    return Reading(
        ". ".join(action for action in actions if not _TALK.search(action)),
        bool(parts["announced"]),
        bool(parts["hedged"]),
        "; ".join(parts["heard"]),
        " ".join(words + unquoted),
    )


def _place(clause, before):
    """Tell what a clause is; without a sign of its own as the one before."""
    inferred = _INFERENCE.split(clause)[-1]
    concluded = _BELIEF.split(inferred)[-1]
    if _REASON.search(clause) and concluded == clause:
        return "heard"
    if _AGENT.search(concluded):
        return "announced"
    # "I think I can hear rain", "a voice seems to say": hedged reports.
    if _HEARD.search(concluded):
        return "heard"
    if inferred != clause:
        return "announced"
    if _HEDGE.search(clause):
        return "announced" if before == "announced" else "hedged"
    return before


def _cut_spoken(text, spoken_text):
    """Replace the longest unquoted run of the spoken text by a boundary."""
    tokens = list(re.finditer(r"[\w']+", text))
    ours = [token.group().lower() for token in tokens]
    said = re.findall(r"[\w']+", spoken_text.lower())
    match = difflib.SequenceMatcher(None, ours, said, False)
    start, _, size = match.find_longest_match()
    # Five words in a row are a quote; of a short text three in five.
    if size < max(2, min(5, -(-3 * len(said) // 5))):
        return text, []
    first, last = tokens[start].start(), tokens[start + size - 1].end()
    return f"{text[:first]};{text[last:]}", [text[first:last]]


def strip_frame(text):
    """Leave out what every answer begins with.

    Arguments
    ---------
    text : str
        A clause.

    Returns
    -------
    str

    Example
    -------
    >>> strip_frame("This suggests that they are likely fishing.")
    'fishing'
    """
    return _FRAME.sub("", text, count=1).strip(" ,.-") or text


def has_keyword(action, keywords):
    """Whether an action holds a keyword, up to its ending.

    Arguments
    ---------
    action : str
        The predicted action.
    keywords : list of str
        Words or phrases.

    Returns
    -------
    bool

    Example
    -------
    >>> has_keyword("feeding the hens", ["feed"]), has_keyword("off", ["of"])
    (True, False)
    """
    stems = f" {_stems(action)} "
    return any(f" {_stems(keyword)} " in stems for keyword in keywords)


def _stems(text):
    """Words without their English ending, doubled last letters single."""
    words = re.findall(r"\w+", text.lower())
    cut = [re.sub(r"(?<=\w{3})(ing|ers?|ed|es|s|e|y)$", "", w) for w in words]
    return " ".join(re.sub(r"(?<=\w\w)(\w)\1$", r"\1", word) for word in cut)
