"""What Dask logs, as plain lines: no traceback reaches who runs a workflow.

Workers import this as a preload module, which sets it up before they do anything.
"""

import logging

_LOGGERS = ("distributed", "tornado", "tornado.application", "asyncio")


class OneLine(logging.Formatter):
    """A record as one line, its exception last."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        text = record.getMessage().strip().partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        what = f" ({type(error).__name__}: {error})".replace("\n", " ") if error else ""
        return f"lingqu: {record.name}: {text}{what}"


def set_up() -> None:
    """Have errors, and nothing else, told in this way."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.ERROR)


def dask_setup(_worker) -> None:
    """Called by Dask's worker that was told to preload this module."""
    set_up()
