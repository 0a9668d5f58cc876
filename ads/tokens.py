"""The signed token an ad carries to the browser and back.

It holds what was promised at the auction (who, which ad, what price), so that serving writes nothing and a
client can neither invent an impression nor change its price.
"""

from dataclasses import asdict, dataclass

from django.core import signing

from ads.params import SERVING
from ads.types import BidType
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid

_SIGNER = signing.Signer(salt="ads.impression")


@dataclass(frozen=True, slots=True)
class Promise:
    """One ad served to one viewer on one page load."""

    impression_id: int
    creative_id: int
    viewer_id: int
    request_id: int
    bid_type: str
    price_micros: int
    served_ms: int

    def price_of(self, billed: BidType) -> int:
        """What an event that bills `billed` costs under this promise."""
        return self.price_micros if self.bid_type == billed else 0


def sign(promise: Promise) -> str:
    return _SIGNER.sign_object(list(asdict(promise).values()))


def read(token: str, *, viewer_id: int) -> Promise:
    """The promise in a token of this viewer. Raises Invalid when forged, foreign or expired."""
    try:
        promise = Promise(*_SIGNER.unsign_object(token))
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise Invalid("This ad is not known.") from error
    if promise.viewer_id != viewer_id:
        raise Invalid("This ad was shown to somebody else.")
    if clock.now_ms() - promise.served_ms > SERVING.token_lifetime.total_seconds() * 1000:
        raise Invalid("This ad was shown too long ago.")
    return promise
