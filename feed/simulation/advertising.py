"""Invented advertisers and their campaigns, set up through the ads services."""

from datetime import timedelta

from accounts.models import Topic, User
from ads.services import create_advertiser, create_campaign
from ads.types import MICROS, BidType, CreativeSpec, Objective
from xsocial.kernel import clock

BALANCE = 5_000 * MICROS
DAILY_BUDGET = 60 * MICROS

#: Advertiser -> campaigns: name, headline, text, topics targeted, objective, bid type, bid in whole units.
ADVERTISERS: dict[str, tuple[tuple[str, str, str, tuple[str, ...], Objective, BidType, float], ...]] = {
    "Kettle & Crane": (
        ("Slow kettles", "A kettle that waits for you", "Holds ninety degrees for an hour. Made to be repaired.",
         ("coffee", "cooking"), Objective.CLICKS, BidType.CPC, 0.45),
        ("Tea drawer", "Twelve teas, one drawer", "A small box of leaves from growers we know by name.",
         ("coffee",), Objective.REACH, BidType.CPM, 6.0),
    ),
    "Northlight Optics": (
        ("Field glasses", "See the bird, not the branch", "Light binoculars for long days in the hide.",
         ("birds", "ocean"), Objective.CLICKS, BidType.CPC, 0.6),
        ("Dark sky week", "Borrow a telescope for a week", "Send it back when the moon is full.",
         ("space",), Objective.ENGAGEMENT, BidType.CPM, 7.5),
        ("One lens", "One lens, a whole year", "A fast 35 mm for people who carry one camera.",
         ("photography", "travel"), Objective.REACH, BidType.CPM, 5.5),
    ),
    "Gravel & Rail": (
        ("Night trains", "Fall asleep here, wake up there", "Sleeper berths with a window that opens.",
         ("travel", "cities"), Objective.CLICKS, BidType.CPC, 0.5),
        ("Panniers", "Bags that outlive the bike", "Waxed canvas, two buckles, no zips.",
         ("cycling",), Objective.REACH, BidType.CPM, 5.0),
    ),
    "Halfpage Press": (
        ("Reading club", "A novel a month, chosen by readers", "Paper, cloth spine, no algorithm involved.",
         ("books", "history"), Objective.ENGAGEMENT, BidType.CPM, 6.5),
        ("Type specimens", "Letters worth keeping", "A yearly book of new typefaces, printed in two colours.",
         ("design",), Objective.CLICKS, BidType.CPC, 0.35),
        ("Scores", "Sheet music that lies flat", "Choral and chamber scores with room for a pencil.",
         ("music",), Objective.REACH, BidType.CPM, 4.0),
    ),
    "Fernworks Tools": (
        ("Soldering", "Warm in nine seconds", "A pocket iron with tips that do not cost extra.",
         ("electronics", "programming"), Objective.CLICKS, BidType.CPC, 0.55),
        ("Everything shed", "A shed in a box", "Flat-packed cedar, put up by two people in a day.",
         (), Objective.REACH, BidType.CPM, 3.0),
    ),
}  # fmt: skip


#: What a click is truly worth to each of these campaigns; they bid just that, to everybody.
KNOWN_VALUES = {"Farthing": 0.1, "Sixpence": 0.25, "Florin": 0.5, "Crown": 1.0, "Guinea": 2.0}
KNOWN_ADVERTISER = "Plain Price Trading"


def create_known_campaigns(owner: User) -> dict[str, float]:
    """Five campaigns whose value per click is known, so that the auction can be judged; name to value."""
    advertiser = create_advertiser(owner=owner, name=KNOWN_ADVERTISER, balance_micros=BALANCE, is_approved=True)
    for name, value in KNOWN_VALUES.items():
        url = f"https://{_host(KNOWN_ADVERTISER)}/{_host(name)}"
        create_campaign(
            advertiser=advertiser,
            name=name,
            creatives=[CreativeSpec(headline=f"The {name.lower()} box", text="A box of small things.", url=url)],
            max_bid_micros=int(value * MICROS),
            daily_budget_micros=DAILY_BUDGET,
            bid_type=BidType.CPC,
            objective=Objective.CLICKS,
            starts_at=clock.now() - timedelta(days=1),
            is_approved=True,
        )
    return dict(KNOWN_VALUES)


def create_campaigns(owners: list[User]) -> int:
    """Set up all advertisers, owned in turn by `owners`; returns the number of campaigns."""
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    starts_at = clock.now() - timedelta(days=1)
    campaigns = 0
    for place, (name, rows) in enumerate(ADVERTISERS.items()):
        advertiser = create_advertiser(
            owner=owners[place % len(owners)], name=name, balance_micros=BALANCE, is_approved=True
        )
        for title, headline, text, slugs, objective, bid_type, bid in rows:
            create_campaign(
                advertiser=advertiser,
                name=title,
                creatives=[CreativeSpec(headline=headline, text=text, url=f"https://{_host(name)}/{_host(title)}")],
                max_bid_micros=int(bid * MICROS),
                daily_budget_micros=DAILY_BUDGET,
                bid_type=bid_type,
                objective=objective,
                starts_at=starts_at,
                topics=[topics[slug] for slug in slugs],
                is_approved=True,
            )
            campaigns += 1
    return campaigns


def _host(name: str) -> str:
    words = "".join(char if char.isalnum() else " " for char in name.lower()).split()
    return "-".join(words) + (".example" if name in {*ADVERTISERS, KNOWN_ADVERTISER} else "")
