"""Parquet files, where pyarrow is installed (the `parquet` extra)."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from experiments.uploads.limits import MB, Limits
from experiments.uploads.problems import BadRow, UploadError

try:
    import pyarrow as arrow
    from pyarrow import parquet

    arrow.set_memory_pool(arrow.system_memory_pool())  # pyarrow's own keeps what was once used
except ImportError:  # an extra: everything else works without it
    arrow = parquet = None

UNPACKED = 10  # times the limit of the file
BATCH = 16  # rows; few, as a row may be large
PAGE = 65_536  # bytes read ahead; without it a whole column of a row group is held


def read(
    file: BinaryIO, limits: Limits, name: str
) -> tuple[tuple[str, ...], Iterator[tuple[int, Mapping[str, Any]] | BadRow]]:
    """The columns and the rows, numbered from 1; values as Python has them. Raises UploadError."""
    if parquet is None:
        raise UploadError(
            "Parquet files need pyarrow (`uv sync --extra parquet`). Or save as CSV UTF-8 or JSONL.", file=name
        )
    try:
        table = parquet.ParquetFile(file, buffer_size=PAGE, pre_buffer=False)
        size = sum(table.metadata.row_group(at).total_byte_size for at in range(table.metadata.num_row_groups))
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise UploadError(_broken(error), file=name) from error
    headers = tuple(str(column) for column in table.schema_arrow.names)
    if size > UNPACKED * limits.file:
        raise _too_large(UNPACKED * limits.file, name)
    if len(headers) > limits.columns:
        raise UploadError(f"{len(headers)} columns; at most {limits.columns} are read.", file=name)
    return headers, _rows(table, UNPACKED * limits.file, name)


def _rows(table: Any, most: int, name: str) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    number = unpacked = 0
    try:
        for batch in table.iter_batches(batch_size=BATCH, use_threads=False):
            unpacked += batch.nbytes  # a value that is stored once may stand in every row
            if unpacked > most:
                raise _too_large(most, name)
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise UploadError(_broken(error), file=name, line=number + 1) from error


def _broken(error: Exception) -> str:
    why = " ".join(str(error).split()).rstrip(".")
    return f"The Parquet file cannot be read ({why}). Write it once more, or save it as CSV UTF-8."


def _too_large(most: int, name: str) -> UploadError:
    return UploadError(f"The file unpacks to more than {most // MB} MB.", file=name, too_large=True)
