"""Keep personal values out of log lines.

The message of an exception often quotes the value that caused it: a unique violation contains the address, a failed
conversion the text. So the log has the class of an exception and the code lines of its traceback, never its message.
"""

import logging
import traceback
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class ValueFreeFormatter(logging.Formatter):
    """Formats exceptions as the code lines of their traceback and their class."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 (the name is that of logging.Formatter)
        """Return a block for each exception of the chain, the first cause on top."""
        return "\n".join(_block(error) for error in reversed(_chain(ei[1])))


class TaskResultFilter(logging.Filter):
    """Removes the result of a failed task, which contains its whole traceback, from the line that the queue logs.

    The result itself remains in the queue's own table, where superusers can read it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record in place; always keep it."""
        if record.levelno >= logging.ERROR and isinstance(record.msg, str) and record.msg.startswith("Failed '"):
            record.msg = record.msg.split(" - ", 1)[0]
        return True


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _block(error: BaseException) -> str:
    lines = "".join(traceback.format_tb(error.__traceback__))
    return f"{lines}{type(error).__module__}.{type(error).__qualname__}"
