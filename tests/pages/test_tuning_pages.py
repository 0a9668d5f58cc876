"""Tuning one's feed on its page: choose, preview, keep, take away and bring."""

import json
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from feed import services, tuning
from feed.home_mixer.tuning import GROUPS, Tuning
from feed.models import FeatureParameter, FeedTuning
from posts.models import Post
from tests.factories import FollowFactory, PostFactory, UserFactory
from tests.feed.conftest import Models
from tests.feed.conftest import models as models  # the stand-in for the models

TUNE = "/settings/feed/tune"
HTMX = {"HX-Request": "true"}
# Session, person, weights and parameters for the page; receipts, replay and cards for the preview.
PREVIEW_PINNED = 30


def chosen(**multipliers):
    return {name: f"{value:g}" for name, value in Tuning.of(multipliers).all.items()}


@pytest.fixture
def page(reader, author, models: Models, settings):
    """A page with more candidates than it holds, whose strangers are worth most; the same ones at every load."""
    settings.GROX_HOLD_UNSCREENED = False
    for name, value in {"exploration_share": 0.0, "served_window_s": 0, "filter_served_always": False,
                        "enable_cached_posts": False, "result_size": 6}.items():  # fmt: skip
        FeatureParameter.objects.create(name=name, value=value)
    for n in range(5):
        other = UserFactory()
        FollowFactory(follower=reader, followee=other)
        near = PostFactory(author=other, text=f"Note {n}")
        models.found.append(PostFactory(author=UserFactory(), text=f"From afar {n}").pk)
        models.liking |= {near.pk: 0.5 + n / 20, models.found[-1]: 0.8 - n / 10}
    return services.for_you(reader)


def posts_of(page):
    return [item.wrapper_id or item.post_id for item in page.items if item.kind == "post"]


def test_the_page_is_linked_and_shows_what_counts(web, reader):
    assert f'href="{TUNE}"' in web.get("/settings/feed").content.decode()
    tuning.save(reader, {"likes": 2})
    page = web.get(TUNE).content.decode()
    assert re.search(r'<option value="2" selected>2 times', page)
    assert page.count("<select") == len(GROUPS)
    assert "Like 1" in page
    assert re.search(r'<th scope="row">Like</th><td class="num">0.5</td><td class="num"><b>1.0</b>', page)


def test_saving_counts_from_the_next_page_and_reset_takes_it_back(web, reader, page):
    answer = web.post(TUNE, chosen(strangers=0.5, likes=2), follow=True)
    assert "Saved" in answer.content.decode()
    assert tuning.of(reader).multipliers == {"likes": 2.0, "strangers": 0.5}
    assert "with your own tuning" in web.get("/").content.decode()
    web.post(f"{TUNE}/reset", {"next": TUNE})
    assert not FeedTuning.objects.exists()
    assert "with your own tuning" not in web.get("/").content.decode()


def test_what_is_no_choice_is_told_at_its_field(web):
    answer = web.post(TUNE, {**chosen(), "objections": "0", "likes": "17"})
    assert answer.status_code == 422
    assert answer.content.decode().count("is not one of the available choices") == 2
    assert not FeedTuning.objects.exists()
    assert web.post(f"{TUNE}/preview", {}).status_code == 422


def test_a_preset_fills_the_form_and_keeps_nothing(web):
    page = web.get(f"{TUNE}?preset=kinder").content.decode()
    assert "Filled in: Kinder." in page
    assert re.search(r'id="id_objections".*?<option value="3" selected>', page, re.S)
    assert not FeedTuning.objects.exists()
    assert web.get(f"{TUNE}?preset=nonsense").status_code == 200


@pytest.mark.parametrize("preset", list(tuning.PRESETS))
def test_presets_are_within_the_bounds(preset):
    found = tuning.PRESETS[preset].tuning
    assert tuning.checked(found.multipliers) == found


# --- The preview --------------------------------------------------------------------------------


@pytest.mark.parametrize("multipliers", [{"strangers": 0.25}, {"likes": 0.0, "reading": 3.0}, {"strangers": 0.0}, {}])
def test_the_preview_has_the_order_that_is_served_after_saving(reader, page, multipliers):
    found = services.preview_tuning(reader, Tuning.of(multipliers))
    tuning.save(reader, multipliers)
    served = services.for_you(reader)
    assert [line.post_id for line in found.lines if line.now] == posts_of(served)
    assert [line.was for line in found.lines if line.was]
    assert found.request_id == page.request_id
    before = {line.post_id: line.was for line in found.lines if line.was}
    assert sorted(before, key=before.__getitem__) == posts_of(page)
    kept = set(posts_of(page)) & set(posts_of(served))
    assert found.count("gone") == len(posts_of(page)) - len(kept)
    assert found.count("new") == len(posts_of(served)) - len(kept)


def test_the_model_is_asked_once_however_much_is_tried(reader, page, models):
    asked = len(models.scored)
    for value in (0, 0.5, 2, 3):
        services.preview_tuning(reader, Tuning.of({"strangers": value}))
    assert len(models.scored) == asked + 1


def test_a_script_gets_the_part_and_the_figures(web, page):
    part = web.post(f"{TUNE}/preview", chosen(strangers=0), headers=HTMX).content.decode()
    assert "<html" not in part
    assert re.search(r'id="tune-summary" hx-swap-oob="innerHTML">Of the posts of your last page .*come in, .* go', part)
    assert "From afar" in part
    assert "Note" in part
    assert 'id="result-strangers"' in part
    assert 'id="weighings"' in part
    assert not FeedTuning.objects.exists()


def test_without_a_script_a_button_shows_the_same(web, page):
    whole = web.post(f"{TUNE}/preview", chosen(strangers=0)).content.decode()
    assert "<html" in whole
    assert "comes in" in whole
    assert re.search(r'id="id_strangers".*?<option value="0" selected>', whole, re.S)
    assert "would have been the same" in web.post(f"{TUNE}/preview", chosen()).content.decode()


def test_without_a_page_the_preview_says_so(web):
    part = web.post(f"{TUNE}/preview", chosen(likes=2), headers=HTMX)
    assert part.status_code == 200
    assert "no page of yours to try this on" in part.content.decode()


def test_a_model_that_fails_makes_no_preview(web, page, models):
    models.broken = True
    assert "cannot be put together" in web.post(f"{TUNE}/preview", chosen(likes=2), headers=HTMX).content.decode()


def test_previews_are_limited_by_the_minute(web, page, monkeypatch):
    monkeypatch.setattr(services, "PREVIEWS_A_MINUTE", 0)
    assert "Too many at once" in web.post(f"{TUNE}/preview", chosen(likes=2), headers=HTMX).content.decode()


def test_a_post_deleted_since_shows_nothing_of_itself(web, page):
    Post.objects.filter(pk=posts_of(page)[0]).update(deleted_at="2026-01-01T00:00Z")
    assert "not to be seen any more" in web.post(f"{TUNE}/preview", chosen(likes=2), headers=HTMX).content.decode()


def test_a_preview_is_of_ones_own_page(client, page):
    client.force_login(UserFactory())
    assert "no page of yours" in client.post(f"{TUNE}/preview", chosen(), headers=HTMX).content.decode()


def test_a_preview_costs_no_more_queries_than_pinned(web, page, django_assert_max_num_queries):
    web.post(f"{TUNE}/preview", chosen(likes=2), headers=HTMX)
    with django_assert_max_num_queries(PREVIEW_PINNED):
        web.post(f"{TUNE}/preview", chosen(strangers=2), headers=HTMX)


# --- Files --------------------------------------------------------------------------------------


def test_a_tuning_goes_out_as_a_file_and_comes_back(web, reader):
    tuning.save(reader, {"likes": 0.25, "objections": 3})
    file = web.get(f"{TUNE}/file")
    assert "attachment" in file["Content-Disposition"]
    tuning.reset(reader)
    page = web.post(f"{TUNE}/import", {"file": SimpleUploadedFile("t.json", file.content)}).content.decode()
    assert "Filled in from your file." in page
    assert re.search(r'id="id_likes".*?<option value="0.25" selected>', page, re.S)
    assert re.search(r'id="id_objections".*?<option value="3" selected>', page, re.S)
    assert not FeedTuning.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "its format must be"),
        (b'{"likes": 2}', "its format must be"),
        (json.dumps({"format": tuning.FORMAT, "multipliers": [2]}), "an object of groups"),
        (json.dumps({"format": tuning.FORMAT, "multipliers": {"likes": 9}}), "Likes can be 0, 0.25"),
        (json.dumps({"format": tuning.FORMAT, "multipliers": {"fame": 2}}), "nothing called &#x27;fame&#x27;"),
        (b" " * 20_000, "too large"),
        (b"[" * 9_000, "not JSON"),
    ],
)
def test_files_that_are_no_tuning_are_refused_with_a_reason(web, body, words):
    content = body.encode() if isinstance(body, str) else body
    answer = web.post(f"{TUNE}/import", {"file": SimpleUploadedFile("t.json", content)})
    assert answer.status_code == 422
    assert words in answer.content.decode()


# --- Who may ------------------------------------------------------------------------------------


def test_visitors_are_sent_to_the_log_in(visitor, db):
    for path in (TUNE, f"{TUNE}/file"):
        assert visitor.get(path)["Location"].startswith("/accounts/login/")
    for path in (TUNE, f"{TUNE}/preview", f"{TUNE}/reset", f"{TUNE}/import"):
        assert visitor.post(path, chosen()).status_code == 403


def test_while_switched_off_it_cannot_be_saved_and_the_page_says_so(web, reader):
    FeatureParameter.objects.create(name="enable_tuning", value=False)
    assert "switched tuning off" in web.get(TUNE).content.decode()
    assert web.post(TUNE, chosen(likes=2)).status_code == 422
    assert not FeedTuning.objects.exists()


def test_previews_do_not_disturb_the_numbers(reader, page):
    """What is kept of the predictions is exact: a replay of the load gives its own scores."""
    services.preview_tuning(reader, Tuning())
    found = services.preview_tuning(reader, Tuning())
    assert found.count("same") == len(found.lines) == 6
    assert np.isclose(services.replay(page.request_id).largest_score_difference, 0.0)
