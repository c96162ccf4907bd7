"""Plain text: aligned columns, one value a line, times that people read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ABSENT = "-"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return aligned columns, the headings first."""
    lines = [list(headings), *([text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def table_of(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> str:
    """Return these columns of all records, headed by their names."""
    return table(columns, ([record.get(column) for column in columns] for record in records))


def listing(record: Mapping[str, object]) -> str:
    """Return what is known of one thing, one value a line; what does not apply is left out."""
    known = {name: text(value) for name, value in record.items() if value not in (None, [], {})}
    width = max(map(len, known), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in known.items())


def text(value: object) -> str:
    """Return a value as one line that cannot disturb the terminal."""
    if value is None or value == "":
        return _ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text(each)}" for name, each in value.items()) or _ABSENT
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value)) or _ABSENT
    # Symbols and logs come from webhooks, so from anybody.
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))


def moment(time_ms: object) -> str:
    """Return a time in UTC, to the millisecond."""
    if not isinstance(time_ms, int):
        return _ABSENT
    when = _EPOCH + timedelta(milliseconds=time_ms)
    return when.strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1000:03}"
