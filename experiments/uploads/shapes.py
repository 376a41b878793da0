"""What other tools export, translated record by record into the fields that are read here."""

from collections.abc import Iterator

from experiments.uploads.limits import Limits
from experiments.uploads.problems import BadRow
from experiments.uploads.records import Record


def shaped(items: Iterator[Record | BadRow], limits: Limits) -> tuple[str, Iterator[Record | BadRow]]:
    """The name of the tool that wrote the records (empty for none), and the records as inputs."""
    return "", items


def shaped_outputs(items: Iterator[Record | BadRow], limits: Limits) -> tuple[str, Iterator[Record | BadRow]]:
    """The name of the tool that wrote the records (empty for none), and the records as recorded answers."""
    return "", items
