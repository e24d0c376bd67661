"""Logs: one JSON object a line on stdout, without personal data."""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

HIDDEN = "[hidden]"
PRIVATE_KEYS = re.compile(
    r"e?_?mail|phone|mobile|name$|address|password|token|secret|code$|key$|id_number|cookie|authorization",
    re.I,
)
PRIVATE_TEXT = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # mail addresses
    r"|(?<![\d.])1[3-9]\d{9}(?!\d)"  # mobile numbers
    r"|(?<![\d.])\d{17}[\dXx](?!\d)"  # identity numbers
    r"|(?<=/gifts/)[^/\s\"']+"  # a gift's address is its key
    r"|\?[^\s\"']+"  # query strings
)
SAFE_KEYS = {"event", "level", "logger", "timestamp", "handler", "status", "method", "task_name", "func_name"}


def hide_personal_data(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """This will hide what could name a person, in values by their key and in texts by their shape."""
    for key, value in entry.items():
        if key not in SAFE_KEYS and PRIVATE_KEYS.search(key):
            entry[key] = HIDDEN
        elif isinstance(value, str):
            entry[key] = PRIVATE_TEXT.sub(HIDDEN, value)
        elif key == "positional_args":
            entry[key] = HIDDEN
    return entry


def logging_config(level: str) -> None:
    """This will send structlog's and every library's log lines through one chain to stdout."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_personal_data,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(ensure_ascii=False),
                    ],
                }
            },
            "handlers": {
                "stdout": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "json",
                }
            },
            "root": {"handlers": ["stdout"], "level": level},
            "loggers": {
                "axes": {"level": "ERROR"},
                # One line a failed attempt; the breaker says it once.
                "elastic_transport": {"level": "ERROR"},
                "django.db.backends": {"level": "WARNING"},
                "asyncio": {"level": "WARNING"},
                "weasyprint": {"level": "ERROR"},
                "fontTools": {"level": "WARNING"},
            },
        }
    )
