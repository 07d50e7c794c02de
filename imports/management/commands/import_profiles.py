"""`manage.py import_profiles`: declare the arguments, call `imports.cli.run`, and print the result."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imports.cli import arguments, summary, terminal
from imports.cli.output import report
from imports.cli.run import ImportRunner
from imports.cli.terminal import report_errors
from imports.jobs.progress import ProgressDisplay
from imports.jobs.transitions import Refused
from imports.presets import PRESETS, STANDARD


class Command(BaseCommand):
    help = (
        "Import a file of people: csv (also .gz, or one in a .zip) or xlsx. The whole file is checked and matched "
        "first; then the import is started, or submitted if it needs approval. "
        "Example: import_profiles people.csv --identifier email --action update --map mobile=phone. "
        "Exit code: 0 completed, or waiting for a user or a worker; 1 refused or failed; 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file to import; it is copied into the site's storage")
        parser.add_argument(
            "--identifier",
            metavar="NAME",
            help="what to match people by: email, phone, external_id, ... or automatic; leave it out to list all",
        )
        parser.add_argument(
            "--action",
            metavar="NAME",
            help="what happens to people who exist already: ignore, update, append, overwrite or replace; "
            "leave it out to see what each does",
        )
        parser.add_argument(
            "--type",
            metavar="NAME",
            default="profiles",
            help="what the rows are: profiles or events (default: profiles). A row of events has a name, a time and "
            "properties under EVENT.properties.PROPERTY; --action does not apply",
        )
        parser.add_argument(
            "--event-name",
            metavar="TEXT",
            help="the name of all events in the file; all other columns are then properties of the events. The time "
            "is in the column time, or in Unix seconds in the column ts",
        )
        parser.add_argument("--name", metavar="TEXT", help="name of the import (default: the file's name)")
        parser.add_argument(
            "--map",
            action="append",
            metavar="HEADER=TARGET",
            help="where a column goes: the key or label of an attribute, external_id, object_id, or the key of a new "
            "attribute, whose type is detected from the values in the column. The last = separates header and target. "
            "May be repeated; several columns may go to one list, such as phone. Other columns go where suggested",
        )
        parser.add_argument(
            "--mapping",
            metavar="FILE",
            help='where columns go, as JSON: {"columns": {HEADER: {"ctName": KEY, "dataType": TYPE, "dateFormat": '
            "FORMAT}}}, as downloaded from the page of an import; --map and --skip override it",
        )
        parser.add_argument("--skip", action="append", metavar="HEADER", help="a column to skip; may be repeated")
        parser.add_argument(
            "--preset",
            metavar="NAME",
            default=STANDARD.key,
            help=f"a bundle of options: {', '.join(PRESETS)} (default: {STANDARD.key})",
        )
        parser.add_argument(
            "--default-country",
            metavar="CODE",
            help="two-letter ISO code, such as US, of the country of phone numbers without a country code",
        )
        parser.add_argument(
            "--option",
            action="append",
            metavar="NAME=VALUE",
            help="change an option from the preset, such as unknown_columns=create; may be repeated. An unknown name "
            "lists all options, an unknown value all values",
        )
        parser.add_argument(
            "--targeting",
            metavar="NAME",
            help="how to find the people of the import later: filter (by the import's exact name; the default), "
            "segment (also by a new segment of that name), or none",
        )
        parser.add_argument("--encoding", metavar="NAME", help="such as utf-8 or cp1252 (default: detected)")
        parser.add_argument(
            "--delimiter", metavar="MARK", help="comma, semicolon, tab, bar or one other character (default: detected)"
        )
        parser.add_argument(
            "--sheet",
            metavar="NAME",
            help="the sheet of a workbook, spelled exactly (default: the first visible sheet)",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="only check and match the file, and print what the import would do; nobody is changed",
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the import ends, however long it takes. Without --wait the command waits for the check "
            "and up to 10 seconds for the import itself, which then continues in the background",
        )
        parser.add_argument(
            "--inline",
            action="store_true",
            help="do the work in this process, without workers, and wait until it ends",
        )
        parser.add_argument(
            "--user", metavar="NAME", help="act with the rights of this user (default: those of an Admin)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the result as one JSON object, on the last line of the output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_errors(self):
            terminal.check_database()
            request = arguments.parse_options(options)
            actor = terminal.get_actor(options["user"])
            try:
                with ProgressDisplay(self.stderr) as display:
                    job = ImportRunner(actor, display, inline=request.inline, wait=request.wait).import_file(request)
            except Refused as refusal:
                if options["json"]:
                    self.stdout.write(json.dumps(summary.refusal_as_json(refusal.code, refusal.message)))
                raise
            report(self, job, as_json=options["json"], dry_run=request.dry_run)
