"""`manage.py work`: the worker of this host, until SIGTERM or Ctrl-C."""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from imports.worker.supervisor import Supervisor, SupervisorTimeouts


class Command(BaseCommand):
    help = "Runs the worker cluster of this host, and starts it again when it ends or stops consuming."

    def add_arguments(self, parser: ArgumentParser) -> None:
        standard = SupervisorTimeouts()
        parser.add_argument(
            "--stuck-after",
            type=float,
            default=standard.stall_timeout,
            help="Start the cluster again after this many seconds in which work waits and nothing is taken up.",
        )
        parser.add_argument(
            "--stop-within",
            type=float,
            default=standard.stop,
            help="When stopped, give running tasks this many seconds to end.",
        )

    def handle(self, *args: object, stuck_after: float, stop_within: float, **options: object) -> None:
        sys.exit(Supervisor(SupervisorTimeouts(stall_timeout=stuck_after, stop=stop_within)).run())
