"""Run the processes of a site: show their output under their names, and stop them together.

The commands are those of the Procfile, so that `make run` starts the same processes as a platform that reads it.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

NAME_WIDTH = 7
STOP_SECONDS = 45.0  # above the 30 s that gunicorn and the supervisor give to running requests and tasks


def read_procfile(procfile: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name."""
    lines = procfile.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


class ProcessGroup:
    """A context manager that stops the processes started in it when the context is left, for whatever reason."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "ProcessGroup":
        return self

    def __exit__(self, *error: object) -> None:
        # A second Ctrl-C must not interrupt this and leave processes running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._stop()

    def start(self, name: str, command: str) -> None:
        """Start a process by its shell command, in a session of its own: Ctrl-C reaches only this process."""
        process = subprocess.Popen(
            f"exec {command}",
            shell=True,
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._processes[name] = process
        threading.Thread(target=_show, args=(name, process), daemon=True).start()

    def exit_code(self, name: str) -> int | None:
        """Return the exit code of a process, or None while it runs."""
        return self._processes[name].poll()

    def _stop(self) -> None:
        running = [process for process in self._processes.values() if process.poll() is None]
        for process in running:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self._processes.values():
            _signal(process, signal.SIGKILL)  # also to children that outlive their process
            process.wait()


def _show(name: str, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print(f"{name:<{NAME_WIDTH}}| {line.decode(errors='replace').rstrip()}", flush=True)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
