"""`python -m tests.bench`: measures, prints tables and last one JSON line. Exit code 1 when an import went wrong."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.kinds import BenchError
from tests.bench.processes import stop_once
from tests.bench.report import report
from tests.bench.results import as_json
from tests.bench.run import SMALL_ROWS, run

IMPORT_EXPORT_ROWS = 20_000


def main() -> int:
    """Run, clean up, and return the exit code."""
    asked = _arguments()
    stop_once()
    try:
        with tempfile.TemporaryDirectory(prefix="profile-imports-bench-", ignore_cleanup_errors=True) as folder:
            results = run(Path(folder), asked.rows, asked.repeat, _import_export_rows(asked))
    except KeyboardInterrupt:
        print("Stopped; nothing was left behind.", file=sys.stderr)
        return 130
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{report(results)}\n\n{json.dumps(as_json(results))}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=_number, default=100_000, help="people in each file (default 100,000)")
    parser.add_argument("--repeat", type=_number, default=1, metavar="N", help="measure N times and give medians")
    parser.add_argument("--skip-import-export", action="store_true", help="leave django-import-export out")
    return parser.parse_args()


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _import_export_rows(asked: argparse.Namespace) -> int:
    """Fewer in a small run, which only shows that everything works."""
    if asked.skip_import_export:
        return 0
    return IMPORT_EXPORT_ROWS if asked.rows >= SMALL_ROWS else max(1, asked.rows // 20)


if __name__ == "__main__":
    sys.exit(main())
