"""Every file of tests/data is read, or refused, as the file beside it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from imports.files.errors import Limits, SourceError
from imports.files.format import Format
from imports.files.source import Source
from imports.mapping import headers

DATA = Path(__file__).parent.parent / "data"
EXPECTED = sorted(DATA.glob("*.json"))


def refusal_of(path: Path) -> SourceError | headers.HeaderError:
    with pytest.raises((SourceError, headers.HeaderError)) as error:
        read(path)
    assert isinstance(error.value, SourceError | headers.HeaderError)
    return error.value


def read(path: Path) -> dict[str, Any]:
    """What the file holds, in the words of the expectations."""
    with path.open("rb") as file:
        source = Source.detect(file, path.name, Limits())
        found = source.format
        reopened = Source.reopen(file, Format.from_json(json.loads(json.dumps(found.to_json()))), Limits())
        batches = list(reopened.batches())
        return {
            "header": [header.text for header in headers.parse_header_row(reopened.header())],
            "rows": [row for batch in batches for row in batch.rows],
            "lines": [line for batch in batches for line in batch.lines],
            "ragged": [
                {"number": row.number, "line": row.line, "found": row.found}
                for batch in batches
                for row in batch.ragged
            ],
            "encoding": found.encoding,
            "delimiter": found.delimiter,
        }


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_it_reads_or_refuses_each_odd_file_as_expected(expected: Path):
    told = json.loads(expected.read_text(encoding="utf-8"))
    path = expected.with_suffix("")
    if "refused" in told:
        refusal = refusal_of(path)
        assert refusal.code == told["refused"]
        assert getattr(refusal, "line", None) == told["line"]
    else:
        found = read(path)
        assert found == {key: told[key] for key in found}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_refusal_has_a_sentence_for_the_place_and_one_for_the_remedy(expected: Path):
    told = json.loads(expected.read_text(encoding="utf-8"))
    if "refused" not in told:
        return
    place, remedy = refusal_of(expected.with_suffix("")).message.split(". ", 1)
    assert place
    assert remedy.endswith(".")
    if told["line"] is not None:
        assert f"line {told['line']}" in place


def test_every_odd_file_has_an_expectation_and_the_other_way_round():
    files = {path.name for path in DATA.iterdir() if path.suffix not in (".json", ".py", ".md")}
    files -= {".gitattributes", "__pycache__"}
    assert {expected.stem for expected in EXPECTED} == files
    assert len(files) >= 45
