"""Secrets at rest: AES-256-GCM under a ring of keys, each text bound to its table, its row and its host.

A text that was copied to another row, or whose endpoint was pointed at another host, cannot be read any more.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from config.keys import check_ring, ring_file
from experiments.refusals import Refused

VERSION = "v1"
_NONCE_BYTES = 12


class Unreadable(Refused):
    """A stored secret that no key of the ring opens for this row and host; it must be entered again."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring, known by a name that says nothing about it."""

    name: str
    material: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a secret belongs: it can be read nowhere else."""

    table: str
    row: int
    host: str

    def bound(self) -> bytes:
        """What the cipher authenticates beside the text."""
        return "\0".join((self.table, str(self.row), self.host.lower())).encode()


def ring(text: str) -> tuple[Key, ...]:
    """The keys of a comma-separated list; the first encrypts, all decrypt. Raises ImproperlyConfigured."""
    return tuple(_key(entry) for entry in check_ring(text))


def encrypt(secret: str, place: Place) -> str:
    """The secret as it is stored: version, name of the key, and cipher text in base64."""
    key, nonce = ring(settings.ENCRYPTION_KEYS)[0], secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(key.material).encrypt(nonce, secret.encode(), place.bound())
    return f"{VERSION}:{key.name}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, place: Place) -> str:
    """The secret again; raises Unreadable."""
    version, _, rest = stored.partition(":")
    name, _, text = rest.partition(":")
    key = next((key for key in chain(ring(settings.ENCRYPTION_KEYS), _added_since()) if key.name == name), None)
    if version != VERSION or key is None:
        raise Unreadable(
            "the stored key was encrypted under a key that BLINDPAIR_ENCRYPTION_KEYS no longer holds: "
            "add that one, or enter the endpoint's key again."
        )
    try:
        sealed = base64.urlsafe_b64decode(text)
        return AESGCM(key.material).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.bound()).decode()
    except (InvalidTag, binascii.Error, ValueError):
        raise Unreadable(
            "the stored key cannot be read for this address: enter it again. "
            "A key is bound to the host it was entered for, so that changing the address never sends it elsewhere."
        ) from None


def is_current(stored: str) -> bool:
    """Whether the secret is encrypted under the first key of the ring."""
    return stored.startswith(f"{VERSION}:{ring(settings.ENCRYPTION_KEYS)[0].name}:")


def _added_since() -> Iterator[Key]:
    """The ring as its file has it now, asked only when no other key fits: a server goes on while keys are rotated."""
    path = ring_file(settings.DATA_DIR)
    if path is not None and path.is_file():
        yield from ring(path.read_text())


def _key(entry: str) -> Key:
    # The entries are random already: hashing only brings any form of them to 256 bits.
    material = hashlib.sha256(b"blindpair secrets at rest\0" + entry.encode()).digest()
    return Key(name=hashlib.sha256(b"name\0" + material).hexdigest()[:8], material=material)
