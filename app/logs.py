"""Structured logs: one JSON object a line on standard output, and nothing secret in it.

A line is an event name and fields: `log.info("order_sent", order_id=...)`. The ids of what is being
worked on are bound once, with `log_context`, and then stand in every line below it, so that one id
leads from the request to the fill.
"""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.outages import BROKER
from app.scrubbing import scrub

#: Libraries that tell at INFO what we log better ourselves.
_QUIET = (
    "amqp",
    "apprise",
    "ccxt",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "kombu",
    "urllib3",
)

#: Libraries that tell what ails the broker, each time that it does.
_OF_BROKER = ("celery.beat", "celery.worker", "kombu")


def configure(process: str, level: str = "info") -> None:
    """Send the log of this process to standard output, that of libraries included.

    To be called once in each process, after a fork. Calling it again only replaces the settings.

    Args:
        process: the name that every line carries, for instance `web` or `worker`.
        level: the least important lines that are written: debug, info, warning or error.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a surrogate is no character
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        lambda _logger, _method, event: {**event, "process": process},
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        scrub,
    ]
    render = structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        # Otherwise loggers made at import would keep the settings from before.
        cache_logger_on_first_use=False,
    )
    _route_libraries(least, shared, render)


@contextmanager
def log_context(**ids: object) -> Iterator[None]:
    """Put these fields on every line that is logged inside."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def _route_libraries(
    least: int, shared: list[structlog.typing.Processor], render: structlog.typing.Processor
) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for known in logging.root.manager.loggerDict.values():
        if isinstance(known, logging.Logger):
            # A handler of its own would write a second, unscrubbed line.
            known.handlers.clear()
            known.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    logging.captureWarnings(capture=True)


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of a library is to be written: of an outage one for each reason."""
    if record.levelno < logging.WARNING or not record.name.startswith(_OF_BROKER):
        return True
    said = (record.exc_info or ())[:1]
    told = record.args if isinstance(record.args, tuple) else ()
    errors = (type(one) for one in told if isinstance(one, BaseException))
    return BROKER.is_news((record.name, str(record.msg), *said, *errors))
