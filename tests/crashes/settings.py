"""Settings of the processes that crash tests start: a lease that soon ends, though nobody's task is cut off at it."""

from tests.settings import *  # noqa: F403

IMPORTS_LEASE_SECONDS = 2
IMPORTS_SWEEP_SECONDS = 1
IMPORTS_BUCKET_ROWS = 20
