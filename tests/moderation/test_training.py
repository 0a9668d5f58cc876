"""Training and judging heads, and the commands around them, on small made-up files."""

import gzip
import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from moderation.grox.classifiers import heads
from moderation.grox.training import datasets
from moderation.grox.training.examples import Likeness, example_sentences
from moderation.grox.training.tasks import STATEMENTS, TASKS, Task
from moderation.grox.training.train import _best_threshold, evaluate, fit, train
from tests.factories import PostFactory
from xsocial.kernel.errors import Invalid, NotFound

GOOD = ["the garden is quiet", "we walked along the river", "coffee with friends", "a new book about birds"]
AWAY = ["gone fishing until monday", "on holiday by the sea", "back from the mountains", "train to the coast"]
BAD = ["win a prize now", "claim free cash today", "cheap followers for sale", "free gift, click now"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    for name, kinds in (("two", (GOOD, BAD)), ("three", (GOOD, BAD, AWAY))):
        rows = [f'"{text} {n}",{label}' for n in range(6) for label, texts in enumerate(kinds) for text in texts]
        body = "\n".join(["text,label", *rows])
        for split in ("train", "val"):
            (path / f"{name}_{split}.csv.gz").write_bytes(gzip.compress(body.encode()))
    return path


def fake_embed(texts):
    return np.array([[("free" in t) - ("the" in t), len(t) / 50] + [0.0] * 766 for t in texts], dtype=np.float32)


@pytest.mark.parametrize(("name", "classes"), [("two", ("spam",)), ("three", ("ham", "spam", "away"))])
def test_training_round_trip(folder, tmp_path, name, classes):
    is_exclusive = len(classes) > 1
    task = Task("tiny", classes, (name,), "ours", exclusive=is_exclusive)
    head = train(task, folder, embed=fake_embed)
    heads.save(head, tmp_path)
    loaded = heads.load("tiny", tmp_path)
    data = task.read(folder / f"{name}_val.csv.gz")
    figures = evaluate(loaded, data, embed=fake_embed)
    assert figures.macro_f1 > 0.95
    assert figures.classes[-1].auc > 0.95
    assert loaded.about["licence"] == "ours"
    assert set(loaded.about["trained_on"]) == {f"{name}_train.csv.gz"}
    before, after = (h.probabilities(data.texts, fake_embed(data.texts)) for h in (head, loaded))
    assert before == pytest.approx(after, abs=5e-3)
    if is_exclusive:
        assert after.sum(axis=1) == pytest.approx(np.ones(len(data)), abs=1e-5)


def test_a_head_may_read_other_heads_and_look_towards_examples(folder, tmp_path):
    task = Task("tiny", ("spam",), ("two",), "ours", reads=("toxicity", "offensive"), has_examples=True)
    head = train(task, folder, embed=fake_embed)
    assert head.reads == (("toxicity", "toxic"), ("offensive", "offensive"))
    for each in (head, heads.load("toxicity"), heads.load("offensive")):
        heads.save(each, tmp_path)
    loaded = heads.load("tiny", tmp_path)
    data = task.read(folder / "two_val.csv.gz")
    before, after = (h.probabilities(data.texts, fake_embed(data.texts)) for h in (head, loaded))
    assert before == pytest.approx(after, abs=5e-3)
    assert evaluate(loaded, data, embed=fake_embed).macro_f1 > 0.95
    others = [heads.load(name) for name in loaded.tasks_read]
    together = heads.Bank((loaded, *others)).probabilities(data.texts, fake_embed(data.texts))
    assert together[:, :1] == pytest.approx(after, abs=1e-6)


def test_made_up_statements_teach_and_are_not_judged(folder, tmp_path):
    statements = tmp_path / "statements.csv"
    statements.write_text("text,spam\n" + "".join(f"zebra crossing {n},1\nsunny zebra {n},0\n" for n in range(12)))
    task = Task("tiny", ("spam",), ("two",), "ours", made_up=statements)
    data = task.read_all(folder, "train")
    head, fitted = fit(task, data, fake_embed(data.texts), tmp_path)
    collected = len(task.read(folder / "two_train.csv.gz"))
    assert (len(data), int(fitted.unseen.sum())) == (collected + 24, collected)
    unseen = ["zebra crossing", "sunny zebra"]
    crossing, sunny = head.probabilities(unseen, fake_embed(unseen))[:, 0]
    assert crossing > sunny + 0.2
    assert train(task, folder, embed=fake_embed).about["trained_on"].keys() == {"two_train.csv.gz", "statements.csv"}


def test_n_grams_that_tell_by_themselves_may_count_more(folder, tmp_path):
    data = TASKS["spam"].read(_two_sided(tmp_path))

    def telling(power):
        task = Task("tiny", ("spam",), ("two",), "ours", evidence_power=power)
        head, _ = fit(task, data, fake_embed(data.texts), tmp_path)
        of_word = dict(zip(head.words.terms, head.sparse_weights[0], strict=False))
        return abs(of_word["pennies"]) / sum(abs(of_word[word]) for word in ("pennies", "lamp", "river"))

    assert telling(0.0) < telling(0.5) < telling(1.0)


def _two_sided(folder):
    """Spam has "pennies" always and never otherwise; "lamp" and "river" lean a little to one side."""
    rows = [f"pennies lamp {n},1\npennies river {n},1\nlamp {n},0\nriver river {n},0\nriver {n},0" for n in range(20)]
    path = folder / "sided.csv"
    path.write_text("\n".join(["text,label", *rows]))
    return path


def test_insults_and_threats_stand_beside_harmless_texts():
    made_up = TASKS["policy"].read(STATEMENTS)
    assert len(set(made_up.texts)) == len(made_up) > 300
    for name in ("violence", "harassment"):
        labels = made_up.labels[:, TASKS["policy"].classes.index(name)]
        assert min((labels == 0).sum(), (labels == 1).sum()) >= 40


def test_likeness_is_folded_into_weights_without_a_difference():
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(20, 384)).astype(np.float32)
    likeness = Likeness.to(["a threat", "a recipe"], vectors)
    weights = draw.normal(size=(1, 2))
    folded, bias = likeness.folded(weights)
    assert vectors @ folded.T + bias == pytest.approx(likeness.of(vectors) @ weights.T, abs=1e-5)
    assert len(example_sentences()) == len(set(example_sentences())) > 40


def test_thresholds_are_the_middle_of_the_best_cuts():
    labels = np.repeat([0, 1], 50).astype(np.int8)
    probabilities = np.concatenate([np.linspace(0.0, 0.2, 50), np.linspace(0.8, 1.0, 50)])
    assert _best_threshold(probabilities, labels, np.zeros(100, dtype=int)) == pytest.approx(0.5, abs=0.02)


def test_a_single_text_hardly_moves_a_threshold():
    draw = np.random.default_rng(3)
    labels = np.repeat([0, 1], 500).astype(np.int8)
    odds = np.concatenate([draw.normal(-3, 1.5, 500), draw.normal(3, 1.5, 500)])
    sources = np.zeros(1_000, dtype=int)
    cuts = [
        _best_threshold(heads.sigmoid(np.delete(odds, out)), np.delete(labels, out), np.delete(sources, out))
        for out in np.argsort(np.abs(odds))[:10]  # those that the cut hangs on
    ]
    assert max(cuts) - min(cuts) < 0.03


def test_unknown_labels_are_left_out(tmp_path):
    path = tmp_path / "columns.csv"
    path.write_text("text,a\none,1\ntwo,-1\nthree,0.0\nfour,\n")
    data = datasets.read(path, classes=("a", "b"), exclusive=False)
    assert data.labels.tolist() == [[1, -1], [-1, -1], [0, -1], [-1, -1]]


def test_a_spreadsheets_file_is_read(tmp_path):
    path = tmp_path / "spreadsheet.csv.gz"  # not packed, whatever its name
    path.write_text("id,label,text\n7,1.0,win\n8,0,lunch\n", encoding="utf-8-sig")
    data = datasets.read(path, classes=("spam",), exclusive=False)
    assert (data.texts, data.labels.tolist()) == (["win", "lunch"], [[1], [0]])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("words,label\nx,1\n", "no column named text"),
        ("text,label\nx,maybe\n", "line 2"),
        ("text,label\nx,7\n", "from 0 to 1"),
        ("text,label\n", "no rows"),
        ("text,other\nx,1\n", "no column named label"),
        ("text,spam\nx,300\n", "from -1 to 1"),
        ("text,spam\nx,-7\n", "from -1 to 1"),
    ],
)
def test_bad_files_are_refused_with_a_reason(tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(Invalid, match=words):
        datasets.read(path, classes=("spam",), exclusive=False)


def test_missing_heads_and_files():
    with pytest.raises(NotFound):
        heads.load("no_such_task")
    for arguments in (["missing.csv", "--task", "spam"],):
        err = StringIO()
        with pytest.raises(SystemExit) as stopped:
            call_command("grox_evaluate", *arguments, stderr=err)
        assert stopped.value.code == 2
        assert len(err.getvalue().splitlines()) == 1


def test_evaluate_command(tmp_path):
    path = tmp_path / "spam.csv"
    path.write_text("text,label\nWIN a FREE phone now! Claim your prize,1\nsee you at lunch,0\n")
    out = StringIO()
    call_command("grox_evaluate", str(path), task="spam", as_json=True, stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["macro_f1"] == 1.0
    out = StringIO()
    call_command("grox_evaluate", str(path), task="spam", stdout=out)
    assert "macro_f1 1.0000" in out.getvalue()


@pytest.mark.django_db
def test_analyze_command():
    out = StringIO()
    call_command("grox_analyze", "You are a worthless idiot, go to hell", as_json=True, stdout=out)
    found = json.loads(out.getvalue())
    assert found["labels"] == ["GROK_NSFA", "FOSNR_ABUSE_INSULTS", "PTOS_REVIEWED"]
    out = StringIO()
    call_command("grox_analyze", "You are a worthless idiot, go to hell", stdout=out)
    assert "\nviolations  HateOrAbuse: InsultsWithTarget, " in out.getvalue()
    assert f"  {found['scores']['toxicity.toxic']:.3f}  toxicity.toxic\n" in out.getvalue()
    out = StringIO()
    call_command("grox_analyze", str(PostFactory(text="Un texto largo en español sobre el mar").pk), stdout=out)
    assert "GROK_NOT_SCORED" in out.getvalue()
    with pytest.raises(SystemExit) as stopped:
        call_command("grox_analyze", "1", stderr=StringIO())
    assert stopped.value.code == 2


def test_bench_command():
    out = StringIO()
    call_command("bench_grox", posts=8, as_json=True, stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["single_post"]["p50_ms"] > 0
    assert figures["batch"]["posts_per_s"] > 0
