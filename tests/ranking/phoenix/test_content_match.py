"""The content match: what was liked and what a post says, through one basis."""

import pytest
import torch

from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.config import ConfigError
from ranking.phoenix.content_match import ContentMatch
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval
from tests.ranking.phoenix.small import random_context, small_config


@pytest.fixture
def contents():
    """Posts about two subjects, whose vectors are alike in almost everything else."""
    torch.manual_seed(0)
    config = small_config("retrieval")
    common, subjects = 5 * torch.randn(config.content_size), torch.randn(2, config.content_size)
    return common + subjects.repeat_interleave(100, 0) + 0.3 * torch.randn(200, config.content_size)


@pytest.fixture
def match(contents):
    made = ContentMatch(small_config("retrieval"))
    made.fit(contents)
    return made


def liking(config, content, strength):
    """Somebody whose newest rows have these contents, each liked so strongly."""
    context = random_context(config, length=len(content))
    context.content[0, : len(content)] = content
    context.features[0, : len(content), config.history_feature_names.index("strength")] = torch.tensor(strength)
    return context


def test_what_all_posts_share_does_not_count(match, contents):
    plain = torch.nn.functional.normalize(contents, dim=-1)
    assert (plain[0] @ plain[150]) > 0.9  # alike for the embedder
    found = match(contents)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(len(contents)))
    same, other = (found[:100] @ found[:100].T).mean(), (found[:100] @ found[100:].T).mean()
    assert same > other + 0.05


def test_unknown_content_and_unliked_posts_count_for_nothing(match, contents):
    config = small_config("retrieval")
    assert not match(torch.zeros(2, config.content_size)).any()
    assert not match.profile(liking(config, contents[:3], [0.0, -1.0, 0.0])).any()
    liked = match.profile(liking(config, contents[[0, 150, 151]], [1.0, 0.0, -1.0]))
    torch.testing.assert_close(liked[0], match(contents[0]))


def test_padding_is_not_liked(match, contents):
    config = small_config("retrieval")
    context = liking(config, contents[:2], [1.0, 1.0])
    before = match.profile(context)
    context.features[0, 5:] = 9.0
    torch.testing.assert_close(match.profile(context), before)


def test_a_post_like_what_was_liked_is_nearer(contents):
    config = small_config("retrieval")
    torch.manual_seed(1)
    model, tables = PhoenixRetrieval(config).eval(), TrainableTables(config).eval()
    model.content_match.fit(contents)
    nobody = torch.ones(40, dtype=torch.long)
    with torch.inference_mode():
        user = model.encode_user(liking(config, contents[:8], [1.0] * 8), tables).vectors[0]
        posts = torch.cat([contents[20:40], contents[120:140]])
        nearness = model.encode_posts(nobody, nobody, tables, content=posts) @ user
    assert nearness[:20].mean() > nearness[20:].mean()


def test_a_config_that_cannot_match_is_refused():
    with pytest.raises(ConfigError, match="content_size"):
        small_config("retrieval", content_size=0)
    with pytest.raises(ConfigError, match="candidate feature"):
        small_config("ranker", candidate_feature_names=())
