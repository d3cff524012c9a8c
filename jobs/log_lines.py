"""The lines that a run writes to standard error: for people, or one JSON object each.

find_duplicates: done, 1,204 seen in 3.1 s (388/s)
{"time": "2024-06-01T03:10:00.123Z", "event": "wave_done", "stage": "find_duplicates", ...}
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

_LOG = logging.getLogger("taojin")
_FIELDS = "taojin_fields"


def set_log_format(log_format: Literal["text", "json"]) -> None:
    """Choose what `say` writes from now on in this process."""
    handler = _ToStandardError()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else logging.Formatter())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False


def say(event: str, text: str, **fields: object) -> None:
    """Write one line.

    Args:
        event: What kind of line it is, in JSON.
        text: The line for people.
        fields: What it says, in JSON.
    """
    if not _LOG.handlers:
        set_log_format("text")
    _LOG.info(text, extra={_FIELDS: {"event": event, **fields}})


class _ToStandardError(logging.Handler):
    """Writes to what standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": moment.replace("+00:00", "Z"), **getattr(record, _FIELDS)}
        return json.dumps(fields, ensure_ascii=False)
