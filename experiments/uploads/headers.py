"""The columns of a file before it is read: by these a mapping that was made before is found again."""

from experiments.uploads.limits import INPUTS
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.records import open_records
from experiments.uploads.shapes import where_records_lie
from experiments.uploads.sources import Source, opened

MOST = 200


def headers_of(source: Source, *, name: str = "", encoding: str | None = None, delimiter: str = "") -> tuple[str, ...]:
    """The header of a table, or the keys of the first JSON record; nothing where the file cannot be read."""
    try:
        with opened(source) as file:
            records = open_records(
                file, name, limits=INPUTS, encoding=encoding, delimiter=delimiter, finder=where_records_lie
            )
            if records.headers:
                return records.headers
            first = next(records.items, None)
    except UploadError:
        return ()
    return () if first is None or isinstance(first, BadRow) else tuple(first[1])[:MOST]
