"""People, advertisers and campaigns for the ads tests."""

from itertools import count

import pytest

from accounts.models import User
from ads import services
from ads.types import MICROS, AdViewer, CreativeSpec

_numbers = count(1)


@pytest.fixture
def make_user(db):
    def make(**fields):
        return User.objects.create(username=f"person{next(_numbers)}", **fields)

    return make


@pytest.fixture
def make_campaign(make_user):
    """An approved campaign of a new, funded, approved advertiser; every argument may be replaced."""

    def make(*, advertiser=None, balance_micros=100 * MICROS, creatives=None, **fields):
        if advertiser is None:
            advertiser = services.create_advertiser(
                owner=make_user(), name="Harbour Books", balance_micros=balance_micros, is_approved=True
            )
        defaults = {
            "name": "Spring",
            "max_bid_micros": 5 * MICROS,
            "daily_budget_micros": 50 * MICROS,
            "is_approved": True,
            "creatives": creatives or [CreativeSpec(headline="New books", url="https://books.example/")],
        }
        return services.create_campaign(advertiser=advertiser, **{**defaults, **fields})

    return make


@pytest.fixture
def viewer(make_user):
    return make_user(language="en", country_code="DE")


@pytest.fixture
def ads_for(db):
    """The auction's winners for a user; keywords become the facts known about them."""

    def ads_for(user, *, limit=10, **facts):
        return services.eligible_ads(viewer=AdViewer(id=user.pk, **facts), request_id=7, limit=limit)

    return ads_for
