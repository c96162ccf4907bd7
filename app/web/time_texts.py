"""Times and lengths of time as people read them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at_ms: int) -> str:
    """Return a time as browsers and people without them read it: `2026-11-21T08:46:12.123Z`."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def span(ms: int) -> str:
    """Return a length of time: `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`."""
    if ms < 1_000:  # noqa: PLR2004 - a second
        return f"{ms} ms"
    seconds, rest_ms = divmod(ms, 1_000)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds}.{rest_ms // 100} s"
    steps = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
    length, unit, part, part_unit = next(step for step in steps if seconds >= step[0])
    return f"{seconds // length} {unit} {seconds % length // part} {part_unit}"
