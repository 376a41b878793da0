"""Which addresses may be called, under both footings, in every form in which an address can hide."""

from __future__ import annotations

import pytest

from backends.hosts import AddressPolicy, BadAddress, check_base_url

EMBEDDED, SCALED = AddressPolicy.embedded(), AddressPolicy.scaled()
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
    "2001:db8::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "ff02::1",
    "fe80::a9fe:a9fe",
    "febf::1",
    "ff05::1:3",
    "192.0.0.170",
    "192.88.99.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "255.255.255.254",
    "100::1",
    "3fff::1",
    "5f00::1",
    "::ffff:168.63.129.16",
    "::ffff:100.100.100.200",
    "::ffff:0:100.100.100.200",
    "::168.63.129.16",
    "64:ff9b::168.63.129.16",
    "64:ff9b::6464:64c8",
    "2002:a83f:8110::",
    "2002:6464:64c8::1",
    "2002:e000:1::",
    "::ffff:0.0.0.0",
    "::ffff:224.0.0.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.5",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.10",
    "100.64.0.1",
    "::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.5",
    "::127.0.0.1",
    "64:ff9b::10.0.0.5",
    "2002:7f00:1::",
    "2002:c0a8:10a::1",
    "127.255.255.254",
    "10.255.255.255",
    "100.127.255.255",
    "192.168.0.0",
    "::10.1.2.3",
    "::ffff:0:192.168.0.1",
    "64:ff9b::7f00:1",
    "2002:a00:1::1",
    "fc00::1",
    "fdff:ffff::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "9.255.255.255",
    "11.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.254",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


def test_the_corpus_is_as_large_as_it_was_meant_to_be() -> None:
    assert len({*NEVER, *PRIVATE, *PUBLIC}) == len(NEVER) + len(PRIVATE) + len(PUBLIC) >= 79


@pytest.mark.parametrize("address", NEVER)
def test_metadata_link_local_and_reserved_addresses_are_never_called_and_no_list_allows_them(address: str) -> None:
    generous = AddressPolicy.scaled(["0.0.0.0/0", "::/0", "evil.example", ":80"])
    for policy in (EMBEDDED, SCALED, generous):
        assert "never called" in policy.objection("evil.example", address, 80)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_for_embedded_installations_and_for_the_operators_list(address: str) -> None:
    assert EMBEDDED.objection("x.example", address, 8000) == ""
    assert "BLINDPAIR_ENDPOINT_HOSTS" in SCALED.objection("x.example", address, 8000)
    assert AddressPolicy.scaled(["x.example"]).objection("x.example", address, 8000) == ""


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed_everywhere(address: str) -> None:
    assert EMBEDDED.objection("x.example", address, 443) == SCALED.objection("x.example", address, 443) == ""


LISTS = [
    ("10.0.0.0/8", "10.1.2.3", 80, True),
    ("10.0.0.0/8", "192.168.0.1", 80, False),
    ("10.0.0.0/8", "::ffff:10.1.2.3", 80, True),
    ("10.1.2.3", "10.1.2.3", 80, True),
    ("fd00::/8", "fd12::1", 80, True),
    (":8000", "10.1.2.3", 8000, True),
    (":8000", "10.1.2.3", 8001, False),
    ("x.example:8000", "10.1.2.3", 8000, True),
    ("x.example:8000", "10.1.2.3", 80, False),
    ("10.0.0.0/8:8000", "10.1.2.3", 8000, True),
    ("10.0.0.0/8:8000", "10.1.2.3", 80, False),
    ("[::1]:8000", "::1", 8000, True),
    ("X.Example", "10.1.2.3", 80, True),
    ("*.example", "10.1.2.3", 80, True),
    ("*.other", "10.1.2.3", 80, False),
    ("example", "10.1.2.3", 80, False),
]


@pytest.mark.parametrize(("entry", "address", "port", "allowed"), LISTS)
def test_the_operators_list_takes_hosts_networks_and_ports(entry: str, address: str, port: int, allowed: bool) -> None:
    objection = AddressPolicy.scaled([entry]).objection("x.example", address, port)
    assert (objection == "") is allowed


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "a b", "http://x", ":0", ":99999", "*", "x/y"])
def test_an_entry_that_means_nothing_is_refused_by_name(entry: str) -> None:
    with pytest.raises(BadAddress, match="BLINDPAIR_ENDPOINT_HOSTS"):
        AddressPolicy.scaled([entry])


GOOD = [
    "http://127.0.0.1:8000/v1",
    "https://api.example.com/v1",
    "http://[::1]:8000",
    "https://bücher.example/v1",
    "http://my_host:1/",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_good_base_address_passes_without_its_trailing_slash(url: str) -> None:
    assert check_base_url(url) == url.rstrip("/")


BAD = [
    "",
    "ftp://x/",
    "file:///etc/passwd",
    "gopher://x:1/_",
    "javascript:alert(1)",
    "//x/v1",
    "127.0.0.1:8000/v1",
    "http://",
    "http:///v1",
    "http://user@x/v1",
    "http://user:pw@x/v1",
    "http://@x/v1",
    "http://x/v1?a=b",
    "http://x/v1?",
    "http://x/v1#a",
    "http://x/v1#",
    "http://x y/v1",
    "http://x\n/v1",
    "http://x\\@evil/v1",
    "http://x:99999/v1",
    "http://x:0/v1",
    "http://x:abc/v1",
    "http://[::1/v1",
    "http://-x.example/",
    "http://x..example/",
    "http://0177.0.0.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.0.0x1/",
    "http://" + "a" * 64 + "/",
    "http://x/" + "a" * 3000,
]


@pytest.mark.parametrize("url", BAD)
def test_a_bad_base_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        check_base_url(url)
    assert str(refused.value).endswith(".")
    assert "pw" not in str(refused.value)


def test_a_literal_forbidden_address_is_refused_already_when_it_is_typed() -> None:
    for url in ("http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://metadata.google.internal/"):
        with pytest.raises(BadAddress, match="never called"):
            EMBEDDED.check_base_url(url)
    with pytest.raises(BadAddress, match="does not allow"):
        SCALED.check_base_url("http://127.0.0.1:8000/v1")
    assert EMBEDDED.check_base_url("http://127.0.0.1:8000/v1/") == "http://127.0.0.1:8000/v1"
    assert SCALED.check_base_url("https://api.example.com/v1") == "https://api.example.com/v1"
