"""Reports by people, and what moderators decide about them."""

from django.db import transaction

from accounts.models import User
from moderation.events import PostReported
from moderation.models import Report
from moderation.services.audit import check_impartial, check_moderator, record
from moderation.services.labels import apply_label
from moderation.types import Label, ReportReason, ReportState, ReviewAction
from posts.models import Engagement, Post
from posts.selectors import get_visible_post
from posts.services import record_engagement
from posts.types import EngagementKind, Surface
from xsocial.kernel import clock, rate_limit
from xsocial.kernel.errors import Conflict, Invalid, NotFound, RateLimited
from xsocial.kernel.event_log import publish

REPORTS_PER_HOUR = 30


@transaction.atomic
def report(
    *,
    user: User,
    reason: str,
    post: Post | None = None,
    account: User | None = None,
    note: str = "",
    surface: Surface = Surface.UNSPECIFIED,
) -> Report:
    """Report a post, or an account as a whole. Reporting the same twice returns the open report.

    Raises Invalid for an unknown reason, a missing or own target, NotFound for a post the person may
    not see, RateLimited beyond 30 an hour. A reported post also counts as feedback for ranking.
    """
    if reason not in list(ReportReason):
        raise Invalid("That is not a reason we know.", extra={"reasons": [str(known) for known in ReportReason]})
    account = post.author if post else account
    if account is None:
        raise Invalid("Say what you want to report.")
    if account.pk == user.pk:
        raise Invalid("You cannot report yourself.")
    if post:
        get_visible_post(user, post.pk)
    if earlier := Report.objects.filter(reporter=user, account=account, post=post, state=ReportState.OPEN).first():
        return earlier
    if not rate_limit.hit("report", str(user.pk), REPORTS_PER_HOUR, 3600).is_allowed:
        raise RateLimited("You have reported a lot in the last hour. Please wait a little.")
    return _file(user, account, post, reason=reason, note=note, surface=surface)


def _file(user: User, account: User, post: Post | None, *, reason: str, note: str, surface: Surface) -> Report:
    filed = Report.objects.create(reporter=user, account=account, post=post, reason=reason, note=note[:1000])
    if post:
        record_engagement(user=user, post_id=post.pk, kind=EngagementKind.REPORT, surface=surface)
    publish(
        PostReported(
            report_id=filed.pk,
            reporter_id=user.pk,
            account_id=account.pk,
            post_id=post.pk if post else None,
            reason=reason,
            at_ms=clock.now_ms(),
        )
    )
    return filed


@transaction.atomic
def withdraw_report(*, user: User, report_id: int) -> None:
    """Take back a report that nobody has decided yet, and what it told the ranking.

    Raises NotFound for none of this person, Conflict once it is decided.
    """
    filed = Report.objects.select_for_update().filter(pk=report_id, reporter=user).first()
    if filed is None:
        raise NotFound("There is no such report of yours.")
    if filed.state != ReportState.OPEN:
        raise Conflict("This report has been decided already.")
    if filed.post_id:
        Engagement.objects.filter(user=user, post_id=filed.post_id, kind=EngagementKind.REPORT).delete()
    filed.delete()


@transaction.atomic
def decide_report(
    *, moderator: User, report: Report, is_upheld: bool, label: Label | None = None, note: str = ""
) -> None:
    """Close a report, and with it every other open report of the same thing.

    An upheld report may put a label on the post. Raises NotAllowed for people who may not moderate,
    or whom it is about or comes from, Conflict when it was decided before, Invalid for a label without a post.
    """
    check_moderator(moderator)
    report = Report.objects.select_for_update().get(pk=report.pk)
    if report.state != ReportState.OPEN:
        raise Conflict("Somebody has decided this report already.")
    if label and not (is_upheld and report.post):
        raise Invalid("A label needs an upheld report about a post.")
    same = Report.objects.filter(account_id=report.account_id, post_id=report.post_id, state=ReportState.OPEN)
    check_impartial(moderator, report.account_id, *same.values_list("reporter_id", flat=True))
    same.update(state=ReportState.UPHELD if is_upheld else ReportState.DISMISSED, decided_at=clock.now())
    if label and report.post:
        apply_label(moderator=moderator, post=report.post, label=label, note=note)
    action = ReviewAction.REPORT_UPHELD if is_upheld else ReviewAction.REPORT_DISMISSED
    record(moderator, action, report=report, post_id=report.post_id, label=label or "", note=note)
