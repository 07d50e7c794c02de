"""`manage.py import_profiles`: the door to `imports.cli.run`. Here are only the arguments and what is printed."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imports.cli import arguments, summary, terminal
from imports.cli.output import report
from imports.cli.run import ImportRunner
from imports.cli.terminal import report_errors
from imports.jobs.progress import Display
from imports.jobs.transitions import Refused
from imports.presets import PRESETS, STANDARD


class Command(BaseCommand):
    help = (
        "Import a file of people: csv (also .gz, or one in a .zip) or xlsx. The whole file is checked and matched "
        "first, then the import is started, or submitted where it needs somebody's approval. "
        "Example: import_profiles people.csv --identifier email --action update --map mobile=phone. "
        "Exit code: 0 completed, or as far as it goes without others; 1 refused or failed; 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file; it is copied into the site's storage")
        parser.add_argument(
            "--identifier",
            metavar="NAME",
            help="what people are found by: email, phone, external_id, ... or automatic; leave it out to see all",
        )
        parser.add_argument(
            "--action",
            metavar="NAME",
            help="what happens to people who are known: ignore, update, append, overwrite or replace; "
            "leave it out to see what each does",
        )
        parser.add_argument(
            "--type",
            metavar="NAME",
            default="profiles",
            help="what the rows are: profiles or events (default profiles). A row of events has a name, a time and "
            "properties under EVENT.properties.PROPERTY; --action does not apply",
        )
        parser.add_argument(
            "--event-name",
            metavar="TEXT",
            help="the name of all events of the file; then all other columns are its properties, and its time is in "
            "the column time, or ts in Unix seconds",
        )
        parser.add_argument("--name", metavar="TEXT", help="what the import is called (default: the file's name)")
        parser.add_argument(
            "--map",
            action="append",
            metavar="HEADER=TARGET",
            help="where a column goes: the key or label of an attribute, external_id, object_id, or the key of a new "
            "attribute, whose type is that of all values in the column. The last = parts the two. May be repeated; "
            "several columns may go to one list, such as phone. Columns that are not named take the suggestion",
        )
        parser.add_argument(
            "--mapping",
            metavar="FILE",
            help='where columns go, as JSON: {"columns": {HEADER: {"ctName": KEY, "dataType": TYPE, "dateFormat": '
            "FORMAT}}}, as the page of an import gives it; --map and --skip come on top of it",
        )
        parser.add_argument("--skip", action="append", metavar="HEADER", help="a column to leave out; may be repeated")
        parser.add_argument(
            "--preset",
            metavar="NAME",
            default=STANDARD.key,
            help=f"a bundle of options: {', '.join(PRESETS)} (default {STANDARD.key})",
        )
        parser.add_argument(
            "--default-country",
            metavar="CODE",
            help="two-letter ISO code, such as US: phone numbers without a country code become international",
        )
        parser.add_argument(
            "--option",
            action="append",
            metavar="NAME=VALUE",
            help="an option that is to be otherwise than the preset has it, such as unknown_columns=create; may be "
            "repeated. A wrong name lists them all, a wrong value those that can be",
        )
        parser.add_argument(
            "--targeting",
            metavar="NAME",
            help="how its people are found later: filter (by the import's exact name; the default), segment (that, "
            "and a segment of this name), or none",
        )
        parser.add_argument("--encoding", metavar="NAME", help="such as utf-8 or cp1252 (default: detected)")
        parser.add_argument(
            "--delimiter", metavar="MARK", help="comma, semicolon, tab, bar or a single mark (default: detected)"
        )
        parser.add_argument(
            "--sheet",
            metavar="NAME",
            help="the sheet of a workbook, spelled as it stands there (default: the first that is shown)",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="only check and match, and print what an import would do; nobody is changed",
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait for the end however long it takes. Without it the command waits for the check, and for the "
            "import itself up to 10 seconds; a longer one is left to the workers",
        )
        parser.add_argument(
            "--inline",
            action="store_true",
            help="do the work in this process, which needs no worker; it waits for the end",
        )
        parser.add_argument(
            "--user", metavar="NAME", help="act with the rights of this person (default: with those of an Admin)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the result as one JSON object on one line, the last one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_errors(self):
            terminal.check_database()
            asked = arguments.parse_options(options)
            actor = terminal.get_actor(options["user"])
            try:
                with Display(self.stderr) as display:
                    job = ImportRunner(actor, display, inline=asked.inline, wait=asked.wait).import_file(asked)
            except Refused as refusal:
                if options["json"]:
                    self.stdout.write(json.dumps(summary.refusal_as_json(refusal.code, refusal.message)))
                raise
            report(self, job, as_json=options["json"], dry_run=asked.dry_run)
