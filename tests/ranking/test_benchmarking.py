"""The benchmark: reading tables, protocols without leaks, measures, and models that learn."""

import gzip
import json
from io import StringIO

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from ranking.benchmarking import measures
from ranking.benchmarking.asking import ranks_of
from ranking.benchmarking.baselines import Ease, Neighbours, Popularity
from ranking.benchmarking.interactions import k_core, load, read
from ranking.benchmarking.known import REFRESHES, Known, RunningCounts, cosine, renewals
from ranking.benchmarking.linear import FORMS, best_alone, choose, is_clearly_better, simplest, solve
from ranking.benchmarking.proposals import Proposals, judged, standardised, training_splits
from ranking.benchmarking.protocols import VALIDATION, split
from ranking.benchmarking.sasrec import SasRec, SasRecSettings
from ranking.benchmarking.sequences import softmax_columns, training_windows
from ranking.benchmarking.towers import Sizes, Towers, config_for, context, prefix_vectors
from ranking.training.presets import TrainingSettings
from xsocial.kernel.errors import Invalid

HOUR = 3600.0


def write(tmp_path, text, name="table.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def social_log(users=40, items=60, count=900, seed=0):
    """A small social log: items live for hours, people have two tastes."""
    rng = np.random.default_rng(seed)
    born = np.sort(rng.random(items)) * 200
    lines = ["personId,contentId,timestamp,eventType"]
    for hour in np.sort(rng.random(count)) * 200:
        user = rng.integers(users)
        age = hour - born
        weight = np.where(age > 0, np.exp(-age / 20), 0) * np.where(np.arange(items) % 2 == user % 2, 4, 1)
        if weight.sum() > 0:
            item = rng.choice(items, p=weight / weight.sum())
            lines.append(f"u{user},i{item:03d},{1.6e9 + hour * HOUR:.1f},LIKE")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("log"), social_log(), "log.csv"), core=3)


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n007\t2\t4\t30\n1\t2\t5\t20\n",
            "007\t2\t4\t30\n1\t2\t5\t20\n",
            "007::2::4::30\n1::2::5::20\n",
            "userId,movieId,rating,timestamp\r\n007,2,4.0,30.0\r\n1,2,5.0,20.0\r\n",
            '"User";"Item";"Value";"Time"\n"007";"2";"4";"30"\n"1";"2";"5";"20"\n',
            "007 2 4 30\n1  2  5  20\n",
            'title,item,user,unixtime,weight\n"a, b",2,007,30,4\nc,2,1,20,5\n',
        ],
    )
    def test_common_layouts_give_the_same_table(self, tmp_path, text):
        for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), gzip.compress(text.encode())):
            found = read(write(tmp_path, data))
            assert [found.user_names[u] for u in found.users] == ["1", "007"]  # by time
            assert found.at.tolist() == [20, 30]
            assert found.ratings.tolist() == [5, 4]

    def test_three_columns_are_user_item_time_and_unfinished_rows_are_counted(self, tmp_path):
        found = read(write(tmp_path, "a,x,1\nb\n\nb,y,2\n,x,3\na,,3\n,,\n"))
        assert (len(found), found.skipped) == (2, 3)
        assert found.ratings.tolist() == [1, 1]

    def test_equal_times_keep_the_order_of_lines_and_first_interactions_stay(self, tmp_path):
        text = "u,i,t\n".replace("u,i,t", "user,item,time") + "a,x,5\na,y,5\na,x,1\n"
        found = load(write(tmp_path, text), core=1)
        assert [found.item_names[i] for i in found.items] == ["x", "y"]
        assert found.at.tolist() == [1, 5]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"", "first line is empty"),
            (b"user,item\n1,2\n", "no time column in the header: user, item"),
            (b"1,2\n", "2 column"),
            (b"1,2,soon\n", "line 1: the timestamp 'soon'"),
            (b"user,item,time\n1,2,nan\n", "line 2"),
            (b"User Name,Item Name,Date\n1,2,3\n", "is this a header"),
            (b"1,2,1e300\n", "not a usable number"),
            (b"user,item," + b"x" * 200_000 + b"\n", "not readable as a table"),
            (b"\xff\xfe\x00", "not UTF-8"),
            (gzip.compress(b"1,2,3\n" * 99, mtime=0)[:-9], "cannot be read"),
            (b"user,item,time\n1\n", r"no interactions \(1 rows"),
            (b"1,2,3\n", "no interactions are left"),
        ],
    )
    def test_bad_files_are_refused_with_what_is_wrong(self, tmp_path, text, message):
        with pytest.raises(Invalid, match=message):
            load(write(tmp_path, text))

    def test_core_is_stable(self, table):
        assert len(k_core(table, 3)) == len(table)
        assert min(np.bincount(table.users).min(), np.bincount(table.items).min()) >= 3


class TestProtocols:
    def test_leave_last_out_asks_for_the_last_and_fits_the_rest(self, table):
        test, validation = split(table, "loo", "test"), split(table, "loo", "validation")
        asked = Known.of(table, test)
        for request, target in enumerate(test.requests.targets):
            history = asked.history(request, test.requests)
            assert len(history) == asked.histories.counts[test.requests.users[request]] - 1
            assert target[0] not in table.items[history]
        assert test.fit.sum() == validation.fit.sum() + table.num_users

    def test_time_knows_users_and_targets_before_the_cut(self, table):
        found = split(table, "time", "test")
        cut = int(len(table) * 0.9)
        assert set(found.requests.users) <= set(table.users[:cut])
        assert {i for targets in found.requests.targets for i in targets} <= set(table.items[:cut])

    def test_live_histories_grow_up_to_the_request(self, table):
        found = split(table, "live", "test")
        known = Known.of(table, found)
        for request in range(len(found.requests)):
            assert (known.history(request, found.requests) < found.requests.known[request]).all()
        last = len(found.requests) - 1
        user = found.requests.users[last]
        assert found.requests.lengths[last] == (table.users[: found.requests.known[last]] == user).sum()

    @pytest.mark.parametrize("protocol", ["loo", "time", "live"])
    def test_the_ranker_learns_from_what_lies_before_the_validation(self, table, protocol):
        asked = split(table, protocol, "validation").requests
        for found in training_splits(table, protocol):
            assert not (found.fit & ~split(table, protocol, "validation").fit).any()
            if protocol == "loo":
                last = dict(zip(asked.users.tolist(), asked.lengths.tolist(), strict=True))
                assert all(
                    length < last[user]
                    for user, length in zip(found.requests.users.tolist(), found.requests.lengths.tolist(), strict=True)
                )
            else:
                assert (found.requests.known < int(len(table) * VALIDATION)).all()

    def test_what_is_fitted_in_live_evaluation_is_renewed_within_its_time(self, table):
        found = split(table, "live", "test")
        known = Known.of(table, found)
        often = renewals(known, found.requests, once=0.0, allowed=9.0)
        assert len(often) == REFRESHES - 1
        assert found.requests.known.min() < often[0] < often[-1] < found.requests.known.max()
        assert len(renewals(known, found.requests, once=4.0, allowed=9.0)) == 2
        assert renewals(known, found.requests, once=4.0, allowed=3.0) == []
        found = split(table, "time", "test")
        assert renewals(Known.of(table, found), found.requests, once=0.0, allowed=9.0) == []

    def test_running_counts_are_as_of_the_request(self, table):
        found = split(table, "live", "test")
        counts = RunningCounts(Known.of(table, found), (0.25,))
        for request in (0, 7, 8):
            row, at = found.requests.known[request], found.requests.at[request]
            counts.advance(at, row)
            weights = np.exp(-(at - table.at[:row]) / (6 * HOUR))
            expected = np.bincount(table.items[:row], weights, minlength=table.num_items)
            np.testing.assert_allclose(counts.decayed[0], expected, rtol=1e-9, atol=1e-12)
            assert counts.total.sum() == row


class TestMeasures:
    def test_ties_count_against_the_target_and_strangers_are_missed(self):
        scores, candidates = np.array([3.0, 3.0, 1.0, 9.0]), np.array([True, True, True, False])
        assert measures.target_ranks(scores, np.array([0]), candidates).tolist() == [2]
        assert measures.target_ranks(scores, np.array([3]), candidates).tolist() == [measures.MISSED]

    def test_figures_by_hand(self):
        found = measures.figures([np.array([1]), np.array([2, 12]), np.array([measures.MISSED])])
        second = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
        assert found.ndcg10 == pytest.approx((1 + second) / 3)
        assert (found.recall10, found.recall50) == pytest.approx((0.5, 2 / 3))
        assert found.mrr10 == pytest.approx(0.5)

    def test_the_bootstrap_tells_a_real_difference_from_none(self):
        rng = np.random.default_rng(0)
        other, users = rng.random(400), np.arange(400)
        mean, low, high = measures.paired_bootstrap(other + 0.1 + rng.normal(0, 0.2, 400), other, users)
        assert low < mean < high
        assert low > 0
        _, low, high = measures.paired_bootstrap(rng.permutation(other), other, users)
        assert low < 0 < high


class TestModels:
    def figures(self, table, protocol, make):
        found = split(table, protocol, "test")
        known = Known.of(table, found)
        model = make(known)
        ranks = ranks_of(known, found.requests, lambda asked, index: (model.scores(asked, i) for i in index.tolist()))
        return measures.figures(ranks)

    def test_freshness_beats_identity_on_a_live_log(self, table):
        fresh = self.figures(table, "live", lambda known: Popularity(known, tau=0.5))
        assert fresh.ndcg10 > self.figures(table, "live", Popularity).ndcg10 + 0.1
        near = self.figures(table, "live", lambda known: Neighbours(known, k=20, shrinkage=5))
        assert fresh.ndcg10 > near.ndcg10

    def test_cosine_and_its_sparse_form_agree(self, table, monkeypatch):
        known = Known.of(table, split(table, "loo", "test"))
        dense = cosine(known, neighbours=None, shrinkage=2)
        monkeypatch.setattr("ranking.benchmarking.known.MAX_DENSE_ITEMS", 10)
        monkeypatch.setattr("ranking.benchmarking.known.SPARSE_BLOCK", 7)
        np.testing.assert_allclose(cosine(known, neighbours=None, shrinkage=2).toarray(), dense, atol=1e-6)
        sparse = cosine(known, neighbours=3, shrinkage=2).toarray()
        assert (np.count_nonzero(sparse, axis=0) <= 3).all()
        np.testing.assert_allclose(sparse.sum(axis=0), np.sort(dense, axis=0)[-3:].sum(axis=0), rtol=1e-5)
        assert list(known.nearest) == [2]

    def test_ease_solves_its_regression(self, table):
        """Each column is the ridge regression of an item on all others."""
        known = Known.of(table, split(table, "loo", "test"))
        weights = Ease(known, ridge=10).weights
        x = known.matrix.toarray().astype(float)
        others = np.arange(table.num_items) != 4
        solved = np.linalg.solve(x[:, others].T @ x[:, others] + 10 * np.eye(others.sum()), x[:, others].T @ x[:, 4])
        np.testing.assert_allclose(weights[others, 4], solved, atol=1e-4)

    def test_windows_predict_every_row_but_the_first_of_each_user(self, table):
        known = Known.of(table, split(table, "loo", "test"))
        predicted = training_windows(known, 5)[:, 1:]
        first = known.histories.places()[known.rows] == 0
        assert sorted(predicted[predicted >= 0].tolist()) == known.rows[~first].tolist()

    def test_a_prefix_of_a_window_is_encoded_as_if_it_stood_alone(self, table):
        known = Known.of(table, split(table, "loo", "test"))
        torch.set_num_threads(1)
        settings = TrainingSettings(epochs=1, minutes=0)
        towers = Towers(known, settings, Sizes(width=8, layers=1, history=6), quiet=True)
        rows = training_windows(known, 6)[:3, :-1]
        users = known.table.users[rows[:, 0]]
        with torch.inference_mode():
            prefixes = prefix_vectors(towers.model, context(known, rows, users), towers.tables)
            rows = np.where(np.arange(6) < 2, rows, -1)
            alone = towers.model.encode_user(context(known, rows, users), towers.tables).vectors
        torch.testing.assert_close(prefixes[:, 2], alone)

    def test_sasrec_tells_after_how_many_epochs_it_was_best(self, table):
        known = Known.of(table, split(table, "loo", "validation"))
        told = iter([0.1, 0.3, 0.2])
        settings = SasRecSettings(epochs=9, size=8, blocks=1, length=10)
        model = SasRec(known, settings, judge=lambda model: next(told))
        assert model.best == (0.3, 6)
        assert model.epochs == 9

    def test_a_softmax_over_many_items_holds_all_wanted_ones(self, monkeypatch):
        wanted = np.array([7, 3, 7, 90_000])
        columns, column = softmax_columns(np.random.default_rng(0), wanted, 100_000)
        assert columns[column].tolist() == wanted.tolist()
        assert len(columns) < 10_000
        columns, column = softmax_columns(np.random.default_rng(0), wanted[:2], 10)
        assert (columns.tolist(), column.tolist()) == (list(range(10)), [7, 3])

    def test_configurations_name_what_the_ranker_reads(self, table):
        known = Known.of(table, split(table, "loo", "test"))
        config = config_for(known, "ranker", Sizes(8, 1, 4), ("pop", "near"))
        assert config.candidate_feature_names == ("pop", "near")


def made_up(requests=200, items=30, seed=0, moments=10):
    """Requests at a few moments whose target has the best of two signals; eighteen more say nothing."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(requests, items, 20)).astype(np.float32)
    target = (signals[..., 0] + signals[..., 1] + rng.gumbel(size=(requests, items)) * 0.7).argmax(axis=1)
    is_target = np.arange(items) == target[:, None]
    nothing = np.zeros((requests, items))
    return Proposals(
        users=np.arange(requests),
        at=np.repeat(np.arange(float(moments)), requests // moments),
        history=np.full((requests, 1), -1),
        items=np.tile(np.arange(items), (requests, 1)),
        created=nothing,
        signals=signals,
        is_target=is_target,
        targets=np.ones(requests, dtype=np.int64),
    )


class TestTheLinearPart:
    names = ("als", "tower", *(f"noise_{i}" for i in range(18)))

    def test_solved_weights_say_what_the_signals_say(self):
        weights = solve(made_up(), self.names, FORMS[-1])
        np.testing.assert_allclose(weights[:2], [1.4, 1.4], atol=0.5)
        assert abs(weights[2:]).max() < 0.5

    def test_a_stronger_ridge_gives_smaller_weights_and_few_signals_leave_the_rest_out(self):
        norms = [np.linalg.norm(solve(made_up(), self.names, form)) for form in FORMS[:3]]
        assert norms == sorted(norms)
        assert not solve(made_up(), self.names, FORMS[0])[2:].any()

    def test_signals_that_say_nothing_are_left_out(self):
        """And the chosen form orders unseen requests better than all signals do."""
        examples, unseen = made_up(requests=60), made_up(seed=1)
        form = choose(examples, self.names)
        assert form.few
        found, free = (
            judged(unseen.signals @ solve(examples, self.names, one), unseen).mean() for one in (form, FORMS[-1])
        )
        assert found > free + 0.02
        assert found > judged(unseen.signals[..., 0], unseen).mean() + 0.1

    def test_one_moment_can_be_learned_from_and_few_requests_keep_the_simplest(self):
        assert choose(made_up(moments=1, requests=50), self.names) in FORMS[1:]
        assert choose(made_up(moments=1, requests=9), self.names) == FORMS[0]

    def test_the_simplest_that_cannot_be_told_from_the_best_is_taken(self):
        rng = np.random.default_rng(0)
        base, noise = rng.random(100), rng.normal(size=100)
        assert simplest([base, base + 0.02 * noise, base - 1]) == 0
        assert simplest([base, base + 0.5 + 0.1 * noise, base + 0.5]) == 1
        assert simplest([base - 1, base]) == 1

    def test_a_single_signal_is_told_from_weights_that_few_examples_taught(self):
        examples = made_up(requests=60)
        form, alone = best_alone(examples, self.names, ("noise_1", "tower", "noise_2"))
        weights = solve(examples, self.names, form)
        assert np.flatnonzero(weights).tolist() == [1]
        np.testing.assert_allclose(judged(examples.signals @ weights, examples), alone)
        noise = judged(examples.signals[..., 5], examples)
        assert is_clearly_better(alone, noise)
        assert not is_clearly_better(noise, alone)
        assert not is_clearly_better(alone, judged(examples.signals[..., :2].sum(-1), examples))

    def test_targets_that_nothing_proposed_are_missed(self):
        proposals = made_up(requests=10)
        proposals.is_target[0] = False
        proposals.targets[1] = 2
        found = judged(proposals.is_target.astype(np.float32), proposals)
        assert found[:3] == pytest.approx([0, 1 / (1 + 1 / np.log2(3)), 1])

    def test_signals_are_standardised_inside_a_request(self):
        signals = np.array([[[1.0], [3.0], [99.0]], [[5.0], [5.0], [5.0]]])
        found = standardised(signals, np.array([[True, True, False], [True, True, True]]))
        assert found[..., 0].tolist() == [[-1, 1, 0], [0, 0, 0]]
        assert found.dtype == np.float32


def run(*args):
    out = StringIO()
    call_command("phoenix_benchmark", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_missing_file_exits_2(tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as stopped:
        run("--interactions", str(tmp_path / "none.csv"))
    assert stopped.value.returncode == 2


def test_a_table_too_small_to_split_exits_2(tmp_path):
    path = write(tmp_path, "a,x,1\na,y,2\n")
    with pytest.raises(CommandError, match="too small") as stopped:
        run("--interactions", str(path), "--core", "1", "--protocol", "loo", "--max-minutes", "0.01")
    assert stopped.value.returncode == 2


def test_the_whole_run_beats_what_knows_no_time(tmp_path):
    path = write(tmp_path, social_log(users=25, count=500), "log.csv")
    arguments = ("--interactions", str(path), "--protocol", "live", "--core", "3", "--max-minutes", "0.03")
    report = json.loads(run(*arguments, "--threads", "1", "--json", "--out", str(tmp_path / "out.json")))
    expected = {"pop", "recent_pop", "itemknn", "itemknn_recency", "recent_pop_x_itemknn", "als", "bpr", "ease"}
    assert expected | {"sasrec", "phoenix_retrieval", "phoenix"} <= set(report["models"])
    assert report["ndcg10"] > report["models"]["pop"]["ndcg10"]
    assert report["difference"]["low"] <= report["difference"]["ndcg10"] <= report["difference"]["high"]
    assert json.loads((tmp_path / "out.json").read_text()) == report
    assert len(report["per_user"]["phoenix"]) == report["eval_users"]
