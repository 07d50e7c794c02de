"""`manage.py resume_import`: the door to `imports.cli.run`. Here are only the arguments and what is printed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imports.cli import terminal
from imports.cli.output import report
from imports.cli.run import ImportRunner
from imports.cli.terminal import report_errors
from imports.jobs.progress import Display


class Command(BaseCommand):
    help = (
        "Go on with an import that was stopped or has failed, at the step where it ended; what was applied stays and "
        "is not applied again. An import that is at work is followed (--wait) or helped along (--inline). "
        "Exit code: 0 completed, or as far as it goes without others; 1 refused or failed; 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", metavar="JOB", type=int, help="the number of the import")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait for the end however long it takes; without it the command returns after 10 seconds at most",
        )
        parser.add_argument(
            "--inline", action="store_true", help="do the work in this process, which needs no worker, to the end"
        )
        parser.add_argument(
            "--user", metavar="NAME", help="act with the rights of this person (default: with those of an Admin)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_errors(self):
            terminal.check_database()
            job = terminal.get_job(options["job"])
            actor = terminal.get_actor(options["user"])
            with Display(self.stderr) as display:
                ImportRunner(actor, display, inline=options["inline"], wait=options["wait"]).resume(job)
            report(self, job)
