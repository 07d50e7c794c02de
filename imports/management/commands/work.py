"""`manage.py work`: run the workers of this host until SIGTERM or Ctrl-C."""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from imports.worker.supervisor import Supervisor, SupervisorTimeouts


class Command(BaseCommand):
    help = "Run the workers of this host, and restart them when they end or stop taking up work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        standard = SupervisorTimeouts()
        parser.add_argument(
            "--stuck-after",
            type=float,
            default=standard.stall_timeout,
            help="restart the workers after this many seconds in which work waits and none is taken up "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--stop-within",
            type=float,
            default=standard.stop,
            help="seconds that running tasks have to end after a stop (default: %(default)s)",
        )

    def handle(self, *args: object, stuck_after: float, stop_within: float, **options: object) -> None:
        sys.exit(Supervisor(SupervisorTimeouts(stall_timeout=stuck_after, stop=stop_within)).run())
