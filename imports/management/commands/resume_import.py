"""`manage.py resume_import`: declare the arguments, call `imports.cli.run`, and print the result."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imports.cli import terminal
from imports.cli.output import report
from imports.cli.run import ImportRunner
from imports.cli.terminal import report_errors
from imports.jobs.progress import ProgressDisplay


class Command(BaseCommand):
    help = (
        "Resume an import that was stopped or has failed, at the step where it ended; what was applied is kept and "
        "not applied again. If the import is running, follow it (--wait) or do part of its work here (--inline). "
        "Exit code: 0 completed, or waiting for a user or a worker; 1 refused or failed; 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", metavar="JOB", type=int, help="the number of the import")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the import ends, however long it takes; without --wait the command returns after at most "
            "10 seconds",
        )
        parser.add_argument(
            "--inline", action="store_true", help="do the work in this process, without workers, until it ends"
        )
        parser.add_argument(
            "--user", metavar="NAME", help="act with the rights of this user (default: those of an Admin)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with report_errors(self):
            terminal.check_database()
            job = terminal.get_job(options["job"])
            actor = terminal.get_actor(options["user"])
            with ProgressDisplay(self.stderr) as display:
                ImportRunner(actor, display, inline=options["inline"], wait=options["wait"]).resume(job)
            report(self, job)
