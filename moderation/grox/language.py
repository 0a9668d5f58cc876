"""Which language a post is written in, or an honest "cannot tell"."""

from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from moderation.grox.text import normalise, prose

UNDETERMINED = "und"
MIN_LETTERS = 12  # below this a guess is worth little
MIN_PROBABILITY = 0.80

# The languages offered by the interface. A closed set keeps short texts from being taken
# for languages with few speakers.
LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu",
    "id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def detect(text: str) -> tuple[str, float]:
    """Return (ISO 639-1 code or "und", probability) for raw post text."""
    return detect_prose(prose(normalise(text)))


def detect_prose(words: str) -> tuple[str, float]:
    """The same for the words of a text that is normalised already."""
    letters = sum(char.isalpha() for char in words)
    # one ideograph or syllable sign says about as much as three letters
    weight = sum(1 if char < "\u1100" else 3 for char in words if char.isalpha())
    if letters == 0 or weight < MIN_LETTERS:
        return UNDETERMINED, 0.0
    code, probability = _identifier().classify(words)
    if probability < MIN_PROBABILITY:
        return UNDETERMINED, float(probability)
    return code, float(probability)
