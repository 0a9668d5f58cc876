"""The page of one's email address: allauth's, which now says why nothing was sent."""

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

WAIT = "The last link was sent less than a minute ago. Wait until the minute is over, then ask again."


class EmailPage(EmailView):
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        answer = super().post(request, *args, **kwargs)
        if "action_send" in request.POST and not self._did_send_verification_email:
            waits = EmailAddress.objects.filter(user=request.user, email__iexact=request.POST["email"], verified=False)
            if waits.exists():
                messages.warning(request, WAIT)
        return answer
