"""The alias of a person: a label, and a name that means one person under that label (HI-17, HI-18). Pure.

It is one value made of two fields. In changes it is the pair ``[label, name]``; to be looked up by, its JSON.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

Pair = list[str]
"""Label and name."""

MOST_COLONS = 10


def form_of(pair: Sequence[str]) -> str:
    """The matching form of a label and a name."""
    return orjson.dumps(pair).decode()


def pair_of(form: str) -> Pair:
    """The label and the name of a matching form."""
    return list(map(str, orjson.loads(form)))


def text_of(pair: Sequence[str]) -> str:
    """A pair as people read it, and as they type it to find it."""
    return ": ".join(pair)


def possible_pairs(text: str) -> list[Pair]:
    """The pairs that ``text_of`` would show as this text: label and name may have a few colons themselves."""
    parts = text.split(":")
    cuts = range(1, min(len(parts), MOST_COLONS + 1))
    pairs = ([":".join(parts[:cut]).strip(), ":".join(parts[cut:]).strip()] for cut in cuts)
    return [pair for pair in pairs if all(pair)]
