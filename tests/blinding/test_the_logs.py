"""What a rater does leaves nothing in the logs that belongs to somebody else's eyes."""

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.conf import settings

from config.logs import JsonFormatter
from ratings.links import replace
from ratings.models import Rater
from tests.blinding.asking import FORMS, ask, own_addresses
from tests.blinding.eyes import Eyes
from tests.blinding.world import a_crowded_world, a_seated_rater, hidden_from

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def _at_the_epoch(record: logging.LogRecord) -> bool:
    """By chance the microseconds of a line would be those of a row some day."""
    record.created = 0.0
    return True


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that the product's own handlers write, in both forms."""
    written = io.StringIO()
    made = logging.config.DictConfigurator({"version": 1})
    given = settings.LOGGING["handlers"]["console"]["filters"]
    kept = [made.configure_filter(settings.LOGGING["filters"][name]) for name in given]
    handlers = [logging.StreamHandler(written), logging.StreamHandler(written)]
    handlers[1].setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        handler.addFilter(_at_the_epoch)
        for one in kept:
            handler.addFilter(one)
        root.addHandler(handler)
    yield written
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def test_a_raters_requests_leave_neither_a_token_nor_a_name(lines: io.StringIO) -> None:
    experiment = a_crowded_world()
    client = a_seated_rater(experiment)
    rater = Rater.objects.get(label="Rater 1")
    link = replace(rater=rater).url
    token = link.rstrip("/").rpartition("/")[2]
    addresses = [
        *own_addresses(experiment),
        f"/r/{token}/",
        f"/r/{token}",
        f"/r/{token}/more/",
        f"/rate/?next=/r/{token}/",
    ]
    for address in addresses:
        for form in FORMS:
            ask(client, address, form)
    said = lines.getvalue()
    assert "Not Found" in said, "the handlers were at work"
    assert token not in said
    assert not Eyes(text for _, text in hidden_from(rater)).see(said.encode())
