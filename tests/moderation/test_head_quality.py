"""The figures that the shipped heads reached on texts they had not seen, as their artefacts record them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from moderation.grox.classifiers import heads
from moderation.grox.training.datasets import read_rows
from moderation.grox.training.tasks import NUMBERS

NUMBERS_UNSEEN = Path(__file__).parent.parent / "fixtures" / "moderation" / "numbers.csv"

VALIDATION = [
    ("offensive", "tweeteval_offensive_val.csv.gz", "macro_f1", 0.77),
    ("hate", "tweeteval_hate_val.csv.gz", "macro_f1", 0.74),
    ("spam", "sms_spam_val.csv.gz", "macro_f1", 0.98),
    ("spam", "youtube_spam_val.csv.gz", "macro_f1", 0.95),
    ("abuse", "davidson_hate_offensive_val.csv.gz", "macro_f1", 0.76),
    ("toxicity", "surge_toxicity_val.csv.gz", "macro_f1", 0.90),
    ("topics", "topic19_en_val.csv.gz", "best_topic", 0.70),
]
CROSS_VALIDATED = [("sexual", 0.95), ("self_harm", 0.97), ("violence", 0.90), ("harassment", 0.90), ("hate", 0.90)]


@pytest.mark.parametrize(("task", "file", "figure", "floor"), VALIDATION)
def test_floors_on_the_validation_files(task, file, figure, floor):
    assert round(heads.load(task).about["validation"][file][figure], 3) >= floor


@pytest.mark.parametrize(("name", "floor"), CROSS_VALIDATED)
def test_floors_of_the_policy_columns_cross_validated(name, floor):
    assert round(heads.load("policy").about["out_of_fold_auc"][name], 3) >= floor


def test_a_number_is_no_proof_of_spam():
    out = StringIO()
    call_command("grox_evaluate", str(NUMBERS_UNSEEN), task="spam", as_json=True, stdout=out)
    kinds = json.loads(out.getvalue())["kinds"]
    assert kinds["honest"] >= 0.9
    assert kinds["spam"] >= 0.85
    learned = {row["text"] for row in read_rows(NUMBERS)}
    assert learned.isdisjoint(row["text"] for row in read_rows(NUMBERS_UNSEEN))
