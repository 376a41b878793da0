"""Ways from one page of a list to the next, as its template needs them."""

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Pages:
    """Where one is; `before` and `after` are 0 where there is no such page. `query` is what else the address keeps."""

    page: int
    pages: int
    query: str

    @property
    def before(self) -> int:
        """The page before."""
        return self.page - 1

    @property
    def after(self) -> int:
        """The page after."""
        return self.page + 1 if self.page < self.pages else 0


def pages(*, page: int | None, total: int, each: int, **kept: str) -> Pages:
    """The page asked for, or the nearest there is; `kept` are other parts of the address, empty ones left out."""
    last = max(1, -(-total // each))
    query = urlencode({name: value for name, value in kept.items() if value})
    return Pages(page=min(max(1, page or 1), last), pages=last, query=f"{query}&" if query else "")
