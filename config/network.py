"""Determine the client address of a request, also behind reverse proxies."""

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """Return the address of the client, for the lock after failed logins.

    Each trusted proxy appends the address of its own client to X-Forwarded-For. With n proxies (PROXY_COUNT) the n-th
    entry from the end is the first that a client cannot forge; the entries before it are ignored.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if proxies == 0 or len(forwarded) < proxies:
        return direct
    return forwarded[-proxies] or direct
