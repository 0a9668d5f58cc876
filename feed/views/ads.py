"""What happens to an ad on a page: seen, opened, hidden. The token it came with is its proof."""

from django.http import HttpResponse
from django.shortcuts import redirect

from ads import services
from xsocial.kernel.errors import Invalid
from xsocial.kernel.pages import PageRequest, action, done, parse_json, signed_in

MAX_TOKENS = 50


@action
def seen(request: PageRequest) -> HttpResponse:
    """Ads that were half visible for a second."""
    tokens = parse_json(request.POST.get("tokens", "[]"))
    if not isinstance(tokens, list) or len(tokens) > MAX_TOKENS:
        raise Invalid(f"tokens must be a list of at most {MAX_TOKENS}.")
    services.record_impressions(viewer=request.user, tokens=[str(token) for token in tokens])
    return HttpResponse(status=204)


@signed_in
def opened(request: PageRequest) -> HttpResponse:
    """Count the click and go where the advertiser's creative points, or to the promoted post."""
    address = services.record_click(viewer=request.user, token=request.GET.get("token", ""))
    return redirect(address or _post_url(request))


def _post_url(request: PageRequest) -> str:
    post = request.GET.get("post", "")
    return post if post.startswith("/@") else "/"


@action
def hide(request: PageRequest) -> HttpResponse:
    services.record_hide(viewer=request.user, token=request.POST.get("token", ""))
    words = "You will not see this ad again."
    return done(request, "posts/_gone.html", {"words": words}, words="" if request.htmx else words)
