#!/usr/bin/env python3
"""Django's command line, with the embedded database at hand for the time of a command."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.command_line import run

    sys.exit(run(sys.argv))
