"""`rotate_keys`: endpoint secrets under a new key."""

from typing import Any

from django.core.management.base import CommandParser

from console.command import Command as Base
from console.key_ring import Rotated, rotate


class Command(Base):
    """Never prints a key."""

    help = "Encrypt every stored endpoint key under a new key."

    def add_options(self, parser: CommandParser) -> None:
        """Whether older keys stay."""
        parser.add_argument("--forget-old", action="store_true", help="older backups then open no endpoint key")

    def run(self, **options: Any) -> None:
        """Turn the ring, and say what is left to do."""
        turned = rotate(forget_old=options["forget_old"])
        self.say(f"{turned.secrets} endpoint keys were encrypted anew.", *self._next(turned))
        self.facts({"secrets": turned.secrets, "keys": turned.keys, "file": turned.file})

    def _next(self, turned: Rotated) -> list[str]:
        if turned.file is not None:
            old = f" and {turned.keys - 1} older behind it" if turned.keys > 1 else ""
            return [f"{turned.file} holds the new key{old}. Keep a copy apart from the backups."]
        if turned.secrets:
            return ["All are under the first key of BLINDPAIR_ENCRYPTION_KEYS now; the others are for older backups."]
        return [
            "All are under the first key of BLINDPAIR_ENCRYPTION_KEYS already. To turn the ring: make a key with",
            "  python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            "set BLINDPAIR_ENCRYPTION_KEYS to it, a comma and the present value in every process, restart them,",
            "then run rotate_keys again.",
        ]
