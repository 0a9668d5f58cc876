"""Who asks, when proxies stand in front."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from xsocial.middleware import ClientAddressMiddleware


def seen(settings, *, proxies: int, passed: str | None) -> str:
    settings.PROXY_COUNT = proxies
    headers = {} if passed is None else {"X-Forwarded-For": passed}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
    ClientAddressMiddleware(lambda request: HttpResponse())(request)
    return request.META["REMOTE_ADDR"]


@pytest.mark.parametrize(
    ("proxies", "passed", "address"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, None, "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "<script>", "10.0.0.1"),
    ],
)
def test_the_address_is_the_one_that_our_outermost_proxy_saw(settings, proxies, passed, address):
    assert seen(settings, proxies=proxies, passed=passed) == address
