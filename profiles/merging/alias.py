"""The alias of a person: a label, and a name that means one person under that label (HI-17, HI-18). Pure.

It is one value made of two fields. Changes hold it as the pair ``[label, name]``; its matching form is the pair's JSON.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

Pair = list[str]
"""A label and a name."""

MAX_COLONS = 10


def matching_form(pair: Sequence[str]) -> str:
    """Return the matching form of a label and a name."""
    return orjson.dumps(pair).decode()


def parse_matching_form(form: str) -> Pair:
    """Return the label and the name of a matching form."""
    return list(map(str, orjson.loads(form)))


def text_of(pair: Sequence[str]) -> str:
    """Return a pair as pages show it and as users type it to search for it."""
    return ": ".join(pair)


def possible_pairs(text: str) -> list[Pair]:
    """Return the pairs that ``text_of`` would show as this text; label and name may contain a few colons themselves."""
    parts = text.split(":")
    cuts = range(1, min(len(parts), MAX_COLONS + 1))
    pairs = ([":".join(parts[:cut]).strip(), ":".join(parts[cut:]).strip()] for cut in cuts)
    return [pair for pair in pairs if all(pair)]
