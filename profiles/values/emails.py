"""Read e-mail addresses; common ones by a regular expression, the others by a library. Pure.

Other packages read them through `parsers`.
"""

from __future__ import annotations

import re

from profiles.values.types import InvalidValue

# Sound but not complete: each text that matches is an address by every reading of the standards. With up to 64
# characters it cannot exceed the limits of the part before the @ and of a label. Only characters repeat possessively:
# for groups that is broken in Python 3.11.2.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_PLAIN = re.compile(rf"(?!.{{65}}){_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9]++[.-])+(?<=\.)[A-Za-z]{{2,63}}")
_LONGEST = 254

is_plain = _PLAIN.fullmatch
"""Whether a text without outer white space is certainly an address."""


def parse(text: str) -> str:
    """Return an address unchanged, but without outer white space (AT-80, D-28). Raises ``InvalidValue``."""
    text = text.strip()
    if is_plain(text):
        return text
    if len(text) > _LONGEST or "@" not in text or not _is_address(text):
        raise invalid_email()
    return text


def invalid_email() -> InvalidValue:
    """Return the error of a text that is not an address."""
    return InvalidValue("invalid_email", "Invalid email format")


def _is_address(text: str) -> bool:
    """Decide about long, internationalised and unusual addresses with the library, without network access.

    The library's own rule for domains also refuses private ones such as `.local`; here a dot and a word after it are
    enough.
    """
    from email_validator import validate_email

    try:
        address = validate_email(text, check_deliverability=False, globally_deliverable=False, strict=True)
    except ValueError:
        return False
    _, dot, top_level = (address.ascii_domain or "").rpartition(".")
    return bool(dot) and len(top_level) >= 2 and top_level[-1].isalpha()
