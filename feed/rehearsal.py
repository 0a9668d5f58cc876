"""The first page of a process, loaded and drawn before anybody asks for one.

Models are read, kernels compiled and templates parsed at their first use. A rehearsal makes the
process pay for that while `/readyz` still says that it is warming up. What then stays for good is
taken out of the collector's sight: walking through it held every page up for half a second, again and again.
"""

import gc
import threading

import structlog
from django.conf import settings

from accounts.models import User
from feed import services
from feed.home_mixer import clients
from feed.types import FeedRequest
from feed.views import for_you
from xsocial.kernel.pages import PageRequest

OK, WARMING_UP = "ok", "warming up"
# Leaves no trace: nobody reads what is kept for this platform, and previews are not remembered.
REQUEST = FeedRequest(platform="rehearsal", context="background_fetch", is_preview=True)

log = structlog.get_logger(__name__)
_thread: threading.Thread | None = None


def begin() -> None:
    """Rehearse beside whatever this process does meanwhile, if it has threads; once is enough."""
    global _thread
    if _thread is None and settings.FEED_POOL_SIZE:
        _thread = threading.Thread(target=_run, name="rehearsal", daemon=True)
        _thread.start()


def state() -> str:
    """ "ok" once the first page is as fast as any."""
    return WARMING_UP if _thread is not None and _thread.is_alive() else OK


def page() -> int:
    """Load and draw a page of somebody who follows many; returns its bytes, 0 where nobody follows anybody."""
    viewer = User.objects.filter(following_count__gt=0).order_by("-following_count", "id").first()
    if viewer is None:
        return 0
    request = PageRequest()
    request.method, request.path, request.user, request.htmx = "GET", "/", viewer, False
    found, _ = services.load_for_you(viewer, request=REQUEST, is_patient=True)
    return len(for_you.draw(request, found).content)


def settle() -> None:
    """Exempt what this process has loaded so far from garbage collection."""
    gc.collect()
    gc.freeze()


def _run() -> None:
    try:
        clients.with_connection(page)
    except Exception as error:  # whatever it is, the pages people ask for will say so properly
        log.warning("feed.rehearsal_failed", error=repr(error))
    settle()
