"""Knows which addresses an endpoint may live at, and nothing of how a connection is made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Metadata services, link-local, multicast and reserved ranges: no list can allow these.
NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",  # Alibaba metadata
        "168.63.129.16/32",  # Azure wire server
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "64:ff9b:1::/48",  # NAT64 of unknown layout: what it reaches cannot be told
        "100::/64",
        "2001::/32",  # Teredo
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fd00:ec2::254/128",  # AWS metadata
        "fd20:ce::254/128",  # Google metadata
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
NEVER_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:]*):(?P<port>\d{1,5})")
_NUMERIC = re.compile(r"\d+|0[xX][0-9a-fA-F]*")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


class BadAddress(ValueError):
    """A base address or an allow-list entry that cannot be used; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of the operator's list: a host name, a network, a port, or a host or network on one port."""

    host: str = ""
    network: Network | None = None
    port: int | None = None

    def covers(self, host: str, address: Address, port: int) -> bool:
        if self.port is not None and port != self.port:
            return False
        if self.host:
            return host == self.host or (self.host.startswith("*.") and host.endswith(self.host[1:]))
        return self.network is None or (address.version == self.network.version and address in self.network)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be called: public ones always, private ones if `private` or listed, the never-list never."""

    private: bool
    allowed: tuple[Allowed, ...] = ()

    @classmethod
    def embedded(cls, entries: Iterable[str] = ()) -> AddressPolicy:
        """Loopback, private and public addresses."""
        return cls(private=True, allowed=read_allowed(entries))

    @classmethod
    def scaled(cls, entries: Iterable[str] = ()) -> AddressPolicy:
        """Public addresses, and what the operator lists."""
        return cls(private=False, allowed=read_allowed(entries))

    def objection(self, host: str, address: str, port: int) -> str:
        """Why this resolved address may not be called, as a sentence; empty if it may."""
        host = host.lower().rstrip(".").strip("[]")
        if host in NEVER_NAMES:
            return f"{host} is a cloud metadata service, which is never called."
        reached = unwrapped(address)
        if any(reached.version == net.version and reached in net for net in NEVER):
            return f"{host} leads to {reached}, a metadata, link-local or reserved address, which is never called."
        if not any(reached.version == net.version and reached in net for net in PRIVATE) or self.private:
            return ""
        if any(entry.covers(host, reached, port) for entry in self.allowed):
            return ""
        return (
            f"{host} leads to the private address {reached}, which this installation does not allow. "
            f"The operator can list the host, its network or :{port} in BLINDPAIR_ENDPOINT_HOSTS."
        )

    def check_base_url(self, url: str) -> str:
        """The base address without a trailing slash; raises `BadAddress` where it is malformed or surely forbidden.

        A name is decided on when it is resolved, at each connection; a literal address already here.
        """
        parts = urlsplit(checked := check_base_url(url))
        host = parts.hostname or ""
        try:
            address = str(ip_address(host))
        except ValueError:
            address = "8.8.8.8" if host.lower().rstrip(".") in NEVER_NAMES else ""
        if address and (objection := self.objection(host, address, parts.port or _default_port(parts.scheme))):
            raise BadAddress(objection)
        return checked


def unwrapped(text: str) -> Address:
    """The address really reached: IPv4 hidden in a mapped, compatible, translated, NAT64 or 6to4 form comes out."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    value = int(address)
    if address in ip_network("2002::/16"):
        return IPv4Address((value >> 80) & 0xFFFFFFFF)
    for form in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"):
        if address in ip_network(form):
            return IPv4Address(value & 0xFFFFFFFF)
    if value >> 32 == 0 and value > 1:
        return IPv4Address(value)
    return address


def read_allowed(entries: Iterable[str]) -> tuple[Allowed, ...]:
    """The operator's list: `host`, `*.host`, `10.0.0.0/8`, `:8000`, `host:8000` or `[::1]:8000` each."""
    return tuple(_allowed(entry.strip()) for entry in entries if entry.strip())


def _allowed(entry: str) -> Allowed:
    host, port = entry, None
    if found := _HOST_AND_PORT.fullmatch(entry):
        host, port = found["host"], int(found["port"])
        if not 1 <= port <= 65535:
            raise BadAddress(f"BLINDPAIR_ENDPOINT_HOSTS: {entry!r} has no valid port; use 1 to 65535.")
    host = host.strip("[]").lower().rstrip(".")
    if not host:
        return Allowed(port=port)
    try:
        return Allowed(network=ip_network(host), port=port)
    except ValueError:
        if "/" in host or not _is_name(host.removeprefix("*.")):
            raise BadAddress(
                f"BLINDPAIR_ENDPOINT_HOSTS: {entry!r} is no host name, network (10.0.0.0/8) or port (:8000)."
            ) from None
    return Allowed(host=host, port=port)


def check_base_url(url: str) -> str:
    """The base address without a trailing slash; raises `BadAddress`, saying what is wrong and what to write."""
    shown = repr(url[:200])
    if not url or len(url) > 2000 or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise BadAddress(f"{shown} is no address. Write it like http://127.0.0.1:8000/v1, without spaces.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise BadAddress(f"{shown} is no address ({error}). Write it like http://127.0.0.1:8000/v1.") from None
    if parts.scheme not in {"http", "https"}:
        raise BadAddress(f"{shown} must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise BadAddress("The address holds a user name or password. Leave it out and give the key as the secret.")
    if not host or port == 0:
        raise BadAddress(f"{shown} names no host or no valid port. Write it like http://127.0.0.1:8000/v1.")
    if "?" in url or "#" in url:
        raise BadAddress(f"{shown} has a query or fragment. Leave out everything from ? or # on.")
    if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]) and not _is_ipv4(host):
        raise BadAddress(f"{shown} spells an IP address oddly. Write it as four decimal numbers, like 127.0.0.1.")
    if ":" not in host and not _is_name(host):
        raise BadAddress(f"{shown} has no valid host name.")
    return url.rstrip("/")


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return False
    return len(ascii_host) <= 253 and all(_LABEL.fullmatch(label) for label in ascii_host.rstrip(".").split("."))


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
