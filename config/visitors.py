"""Where a request comes from: the address of whoever connected or, behind a trusted proxy, of whom the proxy saw."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
_address: ContextVar[str] = ContextVar("address", default="")


class Visitors:
    """Puts the visitor's own address into REMOTE_ADDR; what is said about it is believed of trusted proxies only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        remote, trusted = request.META.get("REMOTE_ADDR", ""), networks(tuple(settings.TRUSTED_PROXIES))
        if trusted and _within(_read(remote), trusted):
            remote = client_address(remote, request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)
        else:
            for name in FORWARDED:
                request.META.pop(name, None)
        request.META["REMOTE_ADDR"] = remote
        token = _address.set(remote)
        try:
            return self.get_response(request)
        finally:
            _address.reset(token)


def place() -> str:
    """The network that the present request comes from; empty outside of a request."""
    return prefix(_address.get())


@lru_cache
def networks(entries: Sequence[str]) -> tuple[Network, ...]:
    """TRUSTED_PROXIES as networks: addresses and networks in CIDR. Raises ImproperlyConfigured, naming the entry."""
    try:
        return tuple(ip_network(entry.strip()) for entry in entries)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES holds addresses and networks, such as 10.0.0.7,10.0.1.0/24: {error}."
        ) from error


def client_address(remote: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The nearest address that no trusted proxy stands for; what a visitor wrote into the header is further away."""
    address = _read(remote)
    if address is None or not _within(address, trusted):
        return remote
    for part in reversed(forwarded.split(",")):
        said = _read(part)
        if said is None:
            break
        address = said
        if not _within(said, trusted):
            break
    return str(address)


def prefix(address: str) -> str:
    """The network around an address: enough to tell an office from elsewhere, too little to tell a person."""
    read = _read(address)
    return str(ip_network((read, 24 if read.version == 4 else 48), strict=False)) if read else ""


def _read(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)
