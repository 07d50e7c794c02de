"""E-mail addresses: what is one, and which are so plain that no library has to say so. Pure. `values` is the door."""

from __future__ import annotations

import re

from profiles.values.types import InvalidValue

# Sound but not complete: what it takes is an address in every reading of the standards. Up to 64 characters the limits
# of the part before the @ and of a label cannot be broken. Only characters repeat possessively: for groups that is
# broken in Python 3.11.2.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_PLAIN = re.compile(rf"(?!.{{65}}){_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9]++[.-])+(?<=\.)[A-Za-z]{{2,63}}")
_LONGEST = 254

is_plain = _PLAIN.fullmatch
"""Whether a text without outer white space is surely an address."""


def parse(text: str) -> str:
    """An address as it was given, without outer white space (AT-80, D-28). Raises ``InvalidValue``."""
    text = text.strip()
    if is_plain(text):
        return text
    if len(text) > _LONGEST or "@" not in text or not _is_address(text):
        raise refusal_reason()
    return text


def refusal_reason() -> InvalidValue:
    """What is said of a text that is none."""
    return InvalidValue("invalid_email", "Invalid email format")


def _is_address(text: str) -> bool:
    """The library's word on long, internationalised and odd addresses; no look-up in the network.

    Its own rule for domains also refuses private ones such as `.local`; here a dot and a word behind it will do.
    """
    from email_validator import validate_email

    try:
        address = validate_email(text, check_deliverability=False, globally_deliverable=False, strict=True)
    except ValueError:
        return False
    _, dot, top = (address.ascii_domain or "").rpartition(".")
    return bool(dot) and len(top) >= 2 and top[-1].isalpha()
