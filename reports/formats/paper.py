"""A program that lays the HTML of its standard input out as PDF; it loads for a second, so only on demand.

It ends with NO_WEASYPRINT or NO_PANGO where that is missing.
"""

import logging
import sys

NO_WEASYPRINT, NO_PANGO = 3, 4


def main() -> None:
    """Nothing is fetched: a text of the report must not make this machine ask anybody for anything."""
    page = sys.stdin.buffer.read().decode()
    document = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=("data",)))
    sys.stdout.buffer.write(document.write_pdf())


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # it tells of each rule of a style sheet that is for browsers
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except ImportError:
        sys.exit(NO_WEASYPRINT)
    except OSError:  # the package is there, the library is not
        sys.exit(NO_PANGO)
    main()
