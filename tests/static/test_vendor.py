"""What is not ours is exactly what its note says it is."""

import hashlib
import re
from pathlib import Path

HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_the_pinned_file(checkout: Path) -> None:
    assert hashlib.sha256((checkout / "static/vendor/htmx.min.js").read_bytes()).hexdigest() == HTMX


def test_the_note_beside_htmx_names_the_same_hash_and_a_2_0_version(checkout: Path) -> None:
    row = next(
        line for line in (checkout / "static/vendor/README.md").read_text().splitlines() if "`htmx.min.js`" in line
    )
    assert HTMX in row
    assert re.search(r"\| 2\.0\.\d+ \|", row)


def test_every_font_has_its_licence_beside_it(checkout: Path) -> None:
    fonts = {path.name.split("-")[0] for path in (checkout / "static/fonts").glob("*.woff2")}
    assert fonts == {"inter", "reading"}
    for font in fonts:
        assert "SIL Open Font License" in (checkout / f"static/fonts/{font}-OFL.txt").read_text()
