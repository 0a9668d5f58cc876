"""Which posts each plan takes, with the reasons of refusal."""

import numpy as np
import pytest

from moderation.grox.documents import Author, Document
from moderation.grox.tasks.filters import (
    BangerFilter,
    EmbeddingFilter,
    PostSafetyFilter,
    PtosFilter,
    ReplyEmbeddingFilter,
    ReplyRankingFilter,
    SpamCommentFilter,
)

ME, THEM, OTHER = Author(1), Author(2, num_followers=10), Author(3, num_followers=60_000)
LARGE = Author(4, num_followers=60_001)


def document(**facts):
    return Document(1, "text", "en", "", np.zeros(384, np.float32), np.zeros(384, np.float32), **facts)


def reply(parent, root, author=ME):
    return document(author=author, parent_author=parent, root_author=root, is_reply=True)


@pytest.mark.parametrize(
    ("post", "reason"),
    [
        (reply(THEM, OTHER), ""),
        (reply(THEM, LARGE), "reply_ranking_target"),
        (reply(LARGE, THEM), "reply_ranking_target"),
        (reply(ME, THEM), "self_reply"),
        (reply(THEM, ME), "self_reply"),
        (reply(None, THEM), "no_parent_author"),
        (reply(THEM, None), "no_root_author"),
        (reply(THEM, THEM, author=None), "no_author"),
        (reply(THEM, THEM, author=Author(0)), "no_author"),
        (document(author=ME), "not_reply"),
    ],
)
def test_spam_comment(post, reason):
    assert SpamCommentFilter().refusal(post) == reason


def test_the_size_of_a_large_author_is_a_setting(settings):
    settings.GROX_REPLY_FOLLOWER_THRESHOLD = 5
    assert SpamCommentFilter().refusal(reply(THEM, THEM)) == "reply_ranking_target"


def test_safety_takes_open_root_posts_and_policy_takes_all():
    protected = Author(5, is_protected=True)
    assert PostSafetyFilter().refusal(document(author=ME)) == ""
    assert PostSafetyFilter().refusal(document(author=protected)) == "private_account"
    assert PostSafetyFilter().refusal(reply(THEM, THEM)) == "reply"
    assert PostSafetyFilter().refusal(document()) == "no_author"
    assert PtosFilter().refusal(reply(THEM, THEM, author=protected)) == ""
    assert PtosFilter().refusal(document()) == "no_author"


def test_summaries_are_embedded_of_open_posts_and_of_replies_among_open_people():
    protected = Author(5, is_protected=True)
    assert EmbeddingFilter().refusal(document(author=ME)) == ""
    assert EmbeddingFilter().refusal(document(author=protected)) == "private_account"
    assert EmbeddingFilter().refusal(reply(THEM, THEM)) == "reply"
    assert ReplyEmbeddingFilter().refusal(reply(THEM, LARGE)) == ""
    assert ReplyEmbeddingFilter().refusal(document(author=ME)) == "not_reply"
    assert ReplyEmbeddingFilter().refusal(reply(THEM, THEM, author=None)) == "no_author"
    for people in ((protected, THEM), (THEM, protected)):
        assert ReplyEmbeddingFilter().refusal(reply(*people)) == "private_account"
    assert ReplyEmbeddingFilter().refusal(reply(THEM, THEM, author=protected)) == "private_account"


@pytest.mark.parametrize(
    ("post", "reason"),
    [
        (reply(THEM, OTHER), "low_blast_radius"),
        (reply(THEM, LARGE), ""),
        (reply(LARGE, THEM), ""),
        (reply(ME, LARGE), "self_reply"),
        (reply(None, LARGE), "no_parent_author"),
        (reply(LARGE, None), "no_root_author"),
        (reply(LARGE, LARGE, author=None), "no_author"),
        (document(author=ME), "not_reply"),
    ],
)
def test_reply_ranking(post, reason):
    assert ReplyRankingFilter().refusal(post) == reason


@pytest.mark.parametrize("parent", [THEM, OTHER, LARGE, ME])
@pytest.mark.parametrize("root", [THEM, OTHER, LARGE, ME])
def test_a_third_party_reply_is_for_exactly_one_of_the_two_plans(parent, root):
    taken = [not each.refusal(reply(parent, root)) for each in (SpamCommentFilter(), ReplyRankingFilter())]
    assert sum(taken) == (0 if ME in (parent, root) else 1)


def test_protected_authors_are_not_recommended_but_still_held_to_the_policy():
    protected = document(author=Author(5, is_protected=True))
    assert BangerFilter().refusal(protected) == PostSafetyFilter().refusal(protected) == "private_account"
    assert PtosFilter().refusal(protected) == ""
