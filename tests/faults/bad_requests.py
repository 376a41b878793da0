"""Requests that no browser of ours would send, byte by byte, each with the answers that are right."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

CLOSED = 0  # no answer at all: the connection ends
BOUNDARY = "----frontier"
EVIL = "https://evil.example"


@dataclass(frozen=True, slots=True)
class Seat:
    """What a visitor has in hand: cookies, a token for forms, and where things are."""

    host: str
    rater: str  # cookies
    rater_csrf: str
    owner: str
    owner_csrf: str
    link: str  # the token of a personal link
    assignment: str
    key: str
    draft: int
    closed: int


@dataclass(frozen=True, slots=True)
class Case:
    """One request, the statuses that are right for it, and what its answer must not hold."""

    name: str
    raw: bytes
    right: tuple[int, ...]


def cases(seat: Seat) -> list[Case]:
    """The whole corpus."""
    parts = (_origins, _verdicts, _types, _methods, _ids, _queries, _sizes, _redirects, _tokens, _traversals)
    more = (_multiparts, _smuggling, _other_languages)
    return [Case(*one) for part in (*parts, *more) for one in part(seat)]


Cases = Iterator[tuple[str, bytes, tuple[int, ...]]]


def get(seat: Seat, path: str, *headers: str, method: str = "GET", host: str | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {seat.host if host is None else host}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def post(
    seat: Seat,
    path: str,
    body: bytes | str,
    *headers: str,
    cookies: str | None = None,
    token: str | None = None,
    kind: str | None = "application/x-www-form-urlencoded",
    length: int | None = None,
) -> bytes:
    """A form of the rater, unless told otherwise."""
    data = body if isinstance(body, bytes) else body.encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {seat.host}", "Connection: close"]
    lines.append(f"Cookie: {seat.rater if cookies is None else cookies}")
    lines.append(f"X-CSRFToken: {seat.rater_csrf if token is None else token}")
    lines += [f"Content-Type: {kind}"] if kind is not None else []
    lines += [f"Content-Length: {len(data) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + data


def owned(
    seat: Seat, path: str, body: bytes | str, *headers: str, kind: str = "application/x-www-form-urlencoded"
) -> bytes:
    """A form of the owner."""
    return post(seat, path, body, *headers, cookies=seat.owner, token=seat.owner_csrf, kind=kind)


def vote(seat: Seat, fields: str) -> bytes:
    """The pair on the desk, with other fields."""
    return post(seat, "/rate/", f"assignment={seat.assignment}&key={seat.key}&{fields}")


def _origins(seat: Seat) -> Cases:
    skip = f"assignment={seat.assignment}&key={seat.key}&reason=other"
    yield "no token and no origin", post(seat, "/rate/skip/", skip, token=""), (403,)
    yield "a foreign origin", post(seat, "/rate/skip/", skip, f"Origin: {EVIL}"), (403,)
    yield "a null origin", post(seat, "/rate/skip/", skip, "Origin: null"), (403,)
    yield "a wrong token", post(seat, "/rate/skip/", skip, token="x" * 64), (403,)
    yield "a short token", post(seat, "/rate/skip/", skip, token="x"), (403,)
    yield "a token without its cookie", post(seat, "/rate/skip/", skip, cookies=seat.rater.split("; ")[0]), (403,)
    yield "another visitor's token", post(seat, "/rate/skip/", skip, token=seat.owner_csrf), (403,)
    yield "sent by another site", post(seat, "/rate/skip/", skip, "Sec-Fetch-Site: cross-site"), (403,)
    yield "sent by a neighbour", post(seat, "/rate/skip/", skip, "Sec-Fetch-Site: same-site"), (403,)
    for name, host in (("a foreign", "evil.example"), ("a named", "u@127.0.0.1")):
        yield f"{name} host", get(seat, "/login/", host=host), (400,)
    yield "two hosts", get(seat, "/login/", "Host: evil.example"), (400,)
    # The name of the socket stands in for a missing one; no browser sends a request without.
    yield "no host", b"GET /login/ HTTP/1.1\r\nConnection: close\r\n\r\n", (200, 400)
    yield "an endless port", get(seat, "/login/", host="127.0.0.1:99999999"), (200, 400)
    yield "an empty host", get(seat, "/login/", host=""), (400,)
    yield "an absolute address elsewhere", get(seat, "http://evil.example/login/", host="evil.example"), (400,)


def _verdicts(seat: Seat) -> Cases:
    for name, fields in {
        "an unknown verdict": "verdict=middle",
        "no verdict": "comment=x",
        "a verdict in capitals": "verdict=LEFT",
        "two verdicts": "verdict=left&verdict=right",
        "one verdict twice": "verdict=left&verdict=left",
        "NUL in a verdict": "verdict=left%00",
        "no UTF-8 in a verdict": "verdict=%FF%FE",
        "half a surrogate": "verdict=%ED%A0%80",
        "an unknown strength": "verdict=left&strength=9",
        "a layout that is none": "verdict=left&layout=%3Cscript%3E",
        "an acceptable that is neither": "verdict=left&left_acceptable=perhaps",
        "NUL in a comment": "verdict=left&comment=a%00b",
        "a comment without an end": "verdict=left&comment=" + "x" * 100_000,
        "differences that are no number": "verdict=left&differences_used=NaN",
    }.items():
        yield name, vote(seat, fields), (400,)
    for name, value in {
        "a handle that is none": "nonsense",
        "a handle of thirty digits": "9" * 30,
        "a handle in other digits": quote("١٢٣"),
        "somebody else's handle": "00000000-0000-4000-8000-000000000000",
        "a handle by relation": "comparison__first__arm__code",
    }.items():
        # Somebody else's is answered like one that was judged: with the pair on the desk.
        right = (303,) if value.startswith("00000000") else (400,)
        yield name, post(seat, "/rate/", f"assignment={value}&key={seat.key}&verdict=left"), right
    yield (
        "a key without an end",
        post(seat, "/rate/", f"assignment={seat.assignment}&key={'k' * 5000}&verdict=left"),
        (400,),
    )
    yield (
        "an unknown reason",
        post(seat, "/rate/skip/", f"assignment={seat.assignment}&key={seat.key}&reason=x"),
        (400,),
    )
    yield "an unknown guess", post(seat, "/rate/guess/", f"assignment={seat.assignment}&guess=middle"), (400,)
    yield "a step back that is none", post(seat, "/rate/undo/", "again=" + "9" * 30), (400,)
    yield "a size that is none", post(seat, "/rate/preferences/", "size=%00"), (400,)
    # Nobody asks a browser how long it took: the time is not even read. The last one here, for the verdict counts.
    yield "a time that is none", vote(seat, "verdict=left&seconds=NaN&judged_at=1e999"), (303,)


def _types(seat: Seat) -> Cases:
    body = f"assignment={seat.assignment}&key={seat.key}&verdict=middle"
    for kind in ("text/plain", "application/json", "application/xml", "nonsense", "multipart/form-data", ""):
        yield f"content type {kind or 'empty'!r}", post(seat, "/rate/", body, kind=kind), (400,)
    yield "no content type", post(seat, "/rate/", body, kind=None), (400,)
    for charset in ("utf-7", "nonsense", "utf-16", "idna"):
        kind = f"application/x-www-form-urlencoded; charset={charset}"
        yield f"charset {charset}", post(seat, "/rate/", body, kind=kind), (400,)
    yield "JSON that is none", post(seat, "/rate/", '{"a": NaN', kind="application/json"), (400,)


def _methods(seat: Seat) -> Cases:
    for method in ("TRACE", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
        yield f"method {method}", get(seat, "/rate/", f"Cookie: {seat.rater}", method=method), (403, 405)
    yield "method CONNECT", get(seat, "evil.example:443", method="CONNECT"), (400, 404, 405)
    yield "OPTIONS of everything", get(seat, "*", method="OPTIONS"), (400, 404, 405)
    yield "a method in small letters", get(seat, "/login/", method="get"), (400, 405)
    yield "a method without an end", get(seat, "/login/", method="A" * 300), (400, 405)


def _ids(seat: Seat) -> Cases:
    for number in ("9" * 30, quote("١"), "-1", "0x1", "1%00", "1.0", "1e3", quote("１"), "%2e%2e"):
        yield f"experiment {number}", get(seat, f"/experiments/{number}/", f"Cookie: {seat.owner}"), (404,)
    yield "endpoint of thirty digits", get(seat, f"/endpoints/{'9' * 30}/", f"Cookie: {seat.owner}"), (404,)
    yield (
        "input of thirty digits",
        get(seat, f"/experiments/{seat.draft}/inputs/{'9' * 30}/swap/", f"Cookie: {seat.owner}"),
        (302, 404),
    )


def _queries(seat: Seat) -> Cases:
    here, pairs = f"/experiments/{seat.draft}/", f"/experiments/{seat.closed}/report/pairs/"
    for name, path in {
        "a regular expression without an end": f"/?q={quote('(a+)+$' * 8)}",
        "a page of thirty digits": f"/?page={'9' * 30}",
        "a page that is infinite": "/?page=1e999",
        "a page before the first": f"{here}inputs/?page=-1",
        "sorting by a relation": "/?sort=owners__password&order_by=owners__password",
        "NUL in a search": "/?q=%00",
        "no UTF-8 in a search": "/?q=%FF",
        "a kind by attribute": f"{here}check/?kind=__class__&page=x",
        "filtering by a relation": f"{pairs}?system__endpoint__secret__startswith=a&input=%00&page={'9' * 30}",
        "a verdict by relation": f"{pairs}?verdict=__class__&pair=%27%22",
        "a search in the log": f"{here}log/?q={quote('(a+)+$' * 8)}&page={'9' * 30}",
        "an upload that is none": f"{here}inputs/preview/?upload=../../secret.key&name=x",
        "a column that is none": f"{here}systems/models/?endpoint={'9' * 30}",
    }.items():
        yield name, get(seat, path, f"Cookie: {seat.owner}"), (200, 302, 400, 404)


def _sizes(seat: Seat) -> Cases:
    fields = "&".join(f"f{number}=x" for number in range(1500))
    yield "1,500 fields", post(seat, "/rate/", fields), (400,)
    yield "a form of three megabytes", vote(seat, "comment=" + "x" * 3_000_000), (400, 413, CLOSED)
    yield "an address of 20 kB", get(seat, "/?q=" + "x" * 20_000), (400, 414)
    yield "a header of 70 kB", get(seat, "/login/", "X-Long: " + "x" * 70_000), (400, 431, CLOSED)
    yield "two hundred headers", get(seat, "/login/", *(f"X-{number}: x" for number in range(200))), (400, 431, CLOSED)
    yield "a cookie of nonsense", get(seat, "/", "Cookie: session=" + "%00é;=" * 500), (302, 400, CLOSED)
    yield "a session that is none", get(seat, "/rate/", "Cookie: session=../../../etc/passwd"), (404,)
    yield "languages without an end", get(seat, "/login/", "Accept-Language: " + "x-y," * 1500), (200, 400)


def _redirects(seat: Seat) -> Cases:
    for where in ("//evil.example", EVIL, "/\\evil.example", "javascript:alert(1)", "\t//evil.example"):
        body = f"email=owner@example.org&password=correct+horse+battery&next={quote(where)}"
        yield f"on to {where}", post(seat, "/login/", body, cookies=seat.owner, token=seat.owner_csrf), (302,)
    yield "back to elsewhere", post(seat, "/rate/preferences/", f"size=m&back={quote('//evil.example')}"), (303, 400)
    yield "a header in an address", get(seat, "/login/?next=%0d%0aSet-Cookie:%20a=b"), (200,)
    yield "a slash too few", get(seat, "//evil.example/rate"), (301, 404)


def _tokens(seat: Seat) -> Cases:
    token = seat.link
    for name, other in {
        "shortened": token[:-1],
        "lengthened": token + "A",
        "in other capitals": token.swapcase(),
        "with NUL": f"{token}%00",
        "with a blank": f"{token}%20",
        "twice": f"{token}/{token}",
        "empty": "",
        "without an end": "A" * 3000,
        "no UTF-8": "%FF%FE",
    }.items():
        yield f"a link {name}", get(seat, f"/r/{other}/"), (404, 429)
        yield f"a welcome {name}", get(seat, f"/welcome/{other}/"), (404, 429)


def _traversals(seat: Seat) -> Cases:
    for path in (
        "/static/../manage.py",
        "/static../config/settings.py",
        "/static/%2e%2e/manage.py",
        "/static/..%5c..%5cmanage.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/....//....//etc/passwd",
    ):
        yield f"static {path}", get(seat, path), (301, 400, 404)


def _multiparts(seat: Seat) -> Cases:
    path, kind = f"/experiments/{seat.draft}/inputs/new/", f"multipart/form-data; boundary={BOUNDARY}"
    start, end = f"--{BOUNDARY}\r\n", f"\r\n--{BOUNDARY}--\r\n"
    file = 'Content-Disposition: form-data; name="file"; filename="{}"\r\nContent-Type: text/csv\r\n\r\n'
    right = (200, 302, 400, 403, 413)
    for name, body in {
        "without an end": start + file.format("a.csv") + "id,input\n1,x",
        "without a disposition": f"{start}Content-Type: text/csv\r\n\r\nx{end}",
        "a file from above": start + file.format("../../../../etc/passwd") + "id,input\n1,x" + end,
        "a file named by bytes": start + file.format("\x00\x01é.csv") + "id,input\n1,x" + end,
        "nested": f"{start}Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n\r\nx\r\n--inner--{end}",
        "encoded as nonsense": start
        + file.format("a.csv").replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n")
        + "!!!"
        + end,
        "a header without an end": f"{start}X-Long: {'x' * 100_000}\r\n\r\nx{end}",
        "many files": "".join(start + file.format(f"{n}.csv") + "x\r\n" for n in range(50)) + end,
        "many fields": "".join(f'{start}Content-Disposition: form-data; name="f{n}"\r\n\r\nx\r\n' for n in range(1500))
        + end,
        "nothing": "",
        "only an end": end,
    }.items():
        yield f"multipart {name}", owned(seat, path, body, kind=kind), right
    for name, other in (
        ("no boundary", "multipart/form-data"),
        ("a long boundary", f"multipart/form-data; boundary={'x' * 500}"),
    ):
        yield f"multipart with {name}", owned(seat, path, start + "x" + end, kind=other), right


def _smuggling(seat: Seat) -> Cases:
    inner = f"GET /healthz HTTP/1.1\r\nHost: {seat.host}\r\n\r\n"
    head = f"POST /login/ HTTP/1.1\r\nHost: {seat.host}\r\n"
    for name, lines, body in (
        ("a length and chunks", f"Content-Length: {5 + len(inner)}\r\nTransfer-Encoding: chunked", f"0\r\n\r\n{inner}"),
        ("two lengths", f"Content-Length: 0\r\nContent-Length: {len(inner)}", inner),
        ("chunks in disguise", "Transfer-Encoding: xchunked", f"0\r\n\r\n{inner}"),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", f"0\r\n\r\n{inner}"),
        ("chunks behind a blank", "Transfer-Encoding : chunked", f"0\r\n\r\n{inner}"),
        ("a chunk of nonsense", "Transfer-Encoding: chunked", f"zz\r\nx\r\n0\r\n\r\n{inner}"),
        ("a length below nothing", "Content-Length: -1", inner),
        ("a length with a sign", "Content-Length: +5", f"hello{inner}"),
        ("a folded header", f"X: a\r\n Content-Length: {len(inner)}", ""),
    ):
        yield (
            f"smuggled by {name}",
            f"{head}{lines}\r\nConnection: close\r\n\r\n{body}".encode(),
            (400, 403, 501, CLOSED),
        )
    yield "a body that never comes", post(seat, "/rate/", "x", length=1000), (400, 403, CLOSED)


def _other_languages(seat: Seat) -> Cases:
    nothing = (400, CLOSED)
    yield "random bytes", bytes(range(256)) * 4 + b"\r\n\r\n", nothing
    yield "a TLS hello", bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 190, nothing
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", (*nothing, 505)
    yield "HTTP/0.9", b"GET /login/\r\n\r\n", nothing
    yield "HTTP/9.9", f"GET /login/ HTTP/9.9\r\nHost: {seat.host}\r\n\r\n".encode(), (*nothing, 505)
    yield "SSH", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", nothing
    yield "only line ends", b"\r\n" * 50, nothing
    yield "a header without a name", get(seat, "/login/", ": x"), nothing
    yield "a header in two lines", get(seat, "/login/", "X: a\nSet-Cookie: b"), (200, 400)
    yield "NUL in a header", get(seat, "/login/", "X: a\0b"), nothing
    yield "NUL in the address", b"GET /\0 HTTP/1.1\r\nHost: " + seat.host.encode() + b"\r\n\r\n", (400, 404, CLOSED)
    yield (
        "bytes in the address",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: " + seat.host.encode() + b"\r\nConnection: close\r\n\r\n",
        (400, 404),
    )
