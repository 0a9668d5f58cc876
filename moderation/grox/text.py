"""Post text made ready for the models.

People dodge filters with look-alike letters, digits for letters, invisible characters and letters
set apart. What the classifiers and the embedder read is the text without those tricks, so training,
evaluation and serving all pass through `normalise`.
"""

import html
import re
import unicodedata

MAX_CHARS = 4_000  # post text read by the models; longer articles are judged by their beginning

_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@])@[\w.]+(?:@[\w.-]+)?")
_LONG_RUN = re.compile(r"(\D)\1{3,}")
_SPELLED_OUT = re.compile(r"(?<!\w)(?:[^\W\d_][ .\-_*]){3,}[^\W\d_](?!\w)")
_WORD = re.compile(r"[^\s]+")
_SPACE = re.compile(r"\s+")

# Cyrillic and Greek letters that are drawn like Latin ones. Used only inside words that also hold
# Latin letters: a word wholly in another script is a word of another language.
_HOMOGLYPHS = str.maketrans(
    "аеорсухіјѕԁһԛԝкмтвнАЕОРСУХІЈЅКМТВНαορντικυχηΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwkmtbhAEOPCYXIJSKMTBHaopvtikuxnABEZHIKMNOPTYX",
)
LEET = str.maketrans("013457@$", "oieastas")
_LEET_INSIDE = re.compile(r"(?<=[a-z])[013457@$]+(?=[a-z])")


def _strip_invisible(text: str) -> str:
    """Drop format and control characters, marks left beside Latin letters and spaces, and marks piled on others."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category == "Mn":
            marks += 1
            # what belongs to a Latin letter has become one with it by now
            if marks > 2 or (kept and (kept[-1].isspace() or "LATIN" in unicodedata.name(kept[-1], ""))):
                continue
        else:
            marks = 0
        if category in ("Cf", "Cc", "Cs") and char not in "\n\t\u200d":
            continue
        kept.append(char)
    return "".join(kept)


def _unmask_word(match: re.Match[str]) -> str:
    """Undo look-alike letters, and digits standing between letters, in one word."""
    word = match.group()
    if word.isascii():
        latin = word
    elif any("LATIN" in unicodedata.name(char, "") for char in word):
        latin = word.translate(_HOMOGLYPHS)
    else:
        return word
    lowered = latin.lower()
    return _LEET_INSIDE.sub(lambda m: m.group().translate(LEET), lowered)


def normalise(text: str) -> str:
    """Return `text` as the models read it: folded, unmasked, lower case, links and mentions generic.

    Total over any string; the answer is empty when nothing readable is left.
    """
    text = html.unescape(text[:MAX_CHARS])
    text = unicodedata.normalize("NFKC", text)
    text = _strip_invisible(text)
    text = _URL.sub(" http ", text)
    text = _MENTION.sub(" @user ", text)
    text = _SPELLED_OUT.sub(lambda m: re.sub(r"[ .\-_*]", "", m.group()), text)
    text = _WORD.sub(_unmask_word, text)
    text = _LONG_RUN.sub(r"\1\1\1", text)
    return _SPACE.sub(" ", text).strip()


def prose(text: str) -> str:
    """Return only the words of normalised text: no links, mentions, tags or symbols."""
    words = [w for w in text.split() if w not in ("http", "@user") and not w.startswith("#")]
    return " ".join(w for w in words if any(char.isalpha() for char in w))
