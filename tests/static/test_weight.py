"""The first view of the rating page stays light: everything it loads, compressed, with fonts."""

import gzip
from pathlib import Path

FIRST_VIEW = 150_000
FONTS = ["inter-latin.woff2", "reading-latin.woff2", "reading-italic-latin.woff2"]
STYLES = ["tokens.css", "base.css", "layout.css", "components.css", "rating.css"]
SCRIPTS = ["trusted.js", "comfort.js", "differences.js", "leaving.js", "rating.js"]
PAGE = 12_000  # the page itself with two long outputs


def test_the_first_view_weighs_under_150_kb(checkout: Path) -> None:
    static = checkout / "static"
    texts = [static / "css" / name for name in STYLES] + [static / "js" / name for name in SCRIPTS]
    texts += [static / "vendor/htmx.min.js", static / "icon.svg"]
    weight = sum(len(gzip.compress(path.read_bytes())) for path in texts)
    weight += sum((static / "fonts" / name).stat().st_size for name in FONTS)
    assert weight + PAGE < FIRST_VIEW
