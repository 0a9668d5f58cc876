"""What can be trained: classes, files, and where each file's texts may be used."""

from dataclasses import dataclass
from pathlib import Path

from moderation.grox.training import datasets
from moderation.grox.training.datasets import Labelled
from moderation.grox.training.templates import FILE as TEMPLATES
from moderation.grox.training.templates import statements

STATEMENTS = Path(__file__).parent / "statements.csv"
"""Insults and threats, each kind beside harmless texts with the same words: idioms, news, games, desire, complaint."""

NUMBERS = Path(__file__).parent / "numbers.csv"
"""Order numbers, telephone numbers and prices that honest people write, beside some of spam: a number is no proof."""

TOPIC_FAMILIES = (
    "arts_&_culture", "business_&_entrepreneurs", "celebrity_&_pop_culture", "diaries_&_daily_life",
    "family", "fashion_&_style", "film_tv_&_video", "fitness_&_health", "food_&_dining", "gaming",
    "learning_&_educational", "music", "news_&_social_concern", "other_hobbies", "relationships",
    "science_&_technology", "sports", "travel_&_adventure", "youth_&_student_life",
)  # fmt: skip
POLICY_CLASSES = (
    "sexual", "hate", "violence", "harassment", "self_harm", "hate_threatening", "violence_graphic",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One classification task. Exclusive classes, three or more, share one softmax; others are independent."""

    name: str
    classes: tuple[str, ...]
    files: tuple[str, ...]
    licence: str
    exclusive: bool = False
    vector_scale: float = 2.0
    surface_scale: float = 1.0
    inverse_regularisation: float = 0.5
    evidence_power: float = 0.0  # with which n-grams count for what they tell by themselves; not for exclusive classes
    adapts: bool = False  # the adapter learns from this task, and this head reads what it learned
    reading_scale: float = 0.0  # of the adapted reading as it is, for tasks that the adapter does not know
    made_up: Path | None = None  # templates of statements, or a table of them: the last source of this task
    made_up_weight: float = 0.35
    reads: tuple[str, ...] = ()  # tasks with more labelled texts, whose heads say something about this one
    has_examples: bool = False  # likeness to a few example sentences is a feature
    num_words: int = 30_000
    num_chars: int = 60_000

    def read(self, path: Path) -> Labelled:
        """Read a labelled file of this task."""
        return datasets.read(path, classes=self.classes, exclusive=self.exclusive)

    def read_all(self, folder: Path, split: str) -> Labelled:
        """Read every file of this task for the split "train" or "val"."""
        sources = [self.read(path) for path in self.paths(folder, split)]
        if self.made_up and split == "train":
            sources.append(statements() if self.made_up == TEMPLATES else self.read(self.made_up))
        return datasets.join(sources)

    def paths(self, folder: Path, split: str) -> list[Path]:
        return [folder / f"{name}_{split}.csv.gz" for name in self.files]

    def training_files(self, folder: Path) -> list[Path]:
        """All that this task learns from, the made-up statements included."""
        return self.paths(folder, "train") + ([self.made_up] if self.made_up else [])


_TASKS = (
    Task(
        "spam",
        ("spam",),
        ("sms_spam", "youtube_spam"),
        "SMS Spam Collection and YouTube Spam Collection (UCI), CC BY 4.0 per UCI; made-up statements of ours",
        vector_scale=0.25,
        inverse_regularisation=30.0,
        evidence_power=0.8,
        made_up=NUMBERS,
        made_up_weight=0.2,
    ),
    Task(
        "offensive",
        ("offensive",),
        ("tweeteval_offensive",),
        "TweetEval, OffensEval 2019: released without restriction, terms of the original task may apply",
        adapts=True,
    ),
    Task(
        "hate",
        ("hate",),
        ("tweeteval_hate",),
        "TweetEval, HatEval 2019: research use, terms of the original task may apply; made-up statements of ours",
        inverse_regularisation=1.0,
        adapts=True,
        made_up=TEMPLATES,
        has_examples=True,
    ),
    Task(
        "abuse",
        ("hate_speech", "offensive_language", "neither"),
        ("davidson_hate_offensive",),
        "Hate Speech and Offensive Language (Davidson and others 2017), MIT",
        exclusive=True,
        adapts=True,
    ),
    Task(
        "toxicity",
        ("toxic",),
        ("surge_toxicity",),
        "Surge AI toxicity, MIT",
        vector_scale=4.0,
        surface_scale=0.0,
        inverse_regularisation=1.0,
        has_examples=True,
    ),
    Task(
        "policy",
        POLICY_CLASSES,
        ("policy_openai",),
        "OpenAI moderation-api-release, MIT, published as an evaluation set; made-up statements of ours",
        vector_scale=1.0,
        reading_scale=0.3,
        inverse_regularisation=0.2,
        reads=("offensive", "hate", "abuse", "toxicity"),
        made_up=STATEMENTS,
        has_examples=True,
        num_words=8_000,
        num_chars=16_000,
    ),
    Task(
        "topics",
        TOPIC_FAMILIES,
        ("topic19_en",),
        "tweet_topicXL (X-Topic), MIT",
        num_words=4_000,
        num_chars=8_000,
    ),
)
TASKS = {task.name: task for task in _TASKS}
