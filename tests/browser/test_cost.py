"""What the page costs, measured in Chromium: one request for each further pair, and few bytes beside the texts."""


import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST_VIEW = 150_000
FURTHER_PAIR = 4_096
WORDS = ["notice", "lease", "landlord", "tenant", "deposit", "clause", "contract", "month", "letter", "court", "fee", "repair"]
TEXTS = [
    "\n\n".join(
        f"**{number}.** " + " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 60)) + "."
        for number in range(side, 12 + side)
    )
    for side in (1, 5)
]
