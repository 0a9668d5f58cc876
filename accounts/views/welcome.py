"""The first steps: topics to begin with, and packs of people to follow at once."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import services
from accounts.selectors import interests
from xsocial.kernel.pages import PageRequest, action, done, signed_in

MAX_PACKS = 12


@signed_in
def welcome(request: PageRequest) -> HttpResponse:
    followed = {row.topic_id for row in interests.followed_topics(request.user) if not row.is_snoozed}
    if request.method == "POST":
        wanted = set(request.POST.getlist("topics"))
        for topic in interests.topics():
            if topic.slug in wanted:
                services.follow_topic(user=request.user, topic=topic)
            elif topic.pk in followed:
                services.unfollow_topic(user=request.user, topic=topic)
        return redirect("/")
    context = {"topics": interests.topics(), "followed": followed, "packs": interests.starter_packs()[:MAX_PACKS]}
    return render(request, "accounts/welcome.html", context)


@action
def follow_pack(request: PageRequest, slug: str) -> HttpResponse:
    pack = interests.get_starter_pack(slug)
    num_followed = services.follow_starter_pack(user=request.user, pack=pack)
    words = f"You follow {num_followed} more {'person' if num_followed == 1 else 'people'}."
    return done(request, "accounts/_pack_followed.html", {"pack": pack}, words=words, default_next="/welcome")
