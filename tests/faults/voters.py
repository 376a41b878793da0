"""Raters on the wire: each sends a verdict with its key until it is acknowledged, and remembers what was acknowledged.

One thread serves them all, so that the client takes little of the machine that the servers need.
"""

import asyncio
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

FIELD = re.compile(rb'<input type="hidden" name="(\w+)" value="([^"]*)"')
VERDICTS = ("left", "right", "both_good", "both_bad")
PATIENCE_SECONDS = 60.0
LONGEST_WAIT = 1.0


@dataclass
class Answer:
    """What came back, and when by the monotonic clock."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    at: float

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of the pair's form; empty where there is none."""
        parts = re.split(rb'<form id="pair"', self.body)
        return {name.decode(): value.decode() for name, value in FIELD.findall(parts[1])} if len(parts) > 1 else {}


@dataclass
class Vote:
    """An acknowledged verdict: `sent_at` (the wall clock) is when the try that was acknowledged began."""

    assignment: str
    key: str
    verdict: str
    sent_at: float
    tries: int


@dataclass
class Tally:
    """What all voters saw together."""

    acknowledged: list[Vote] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    broken: int = 0
    cut: int = 0

    def quantile(self, share: float) -> float:
        """Of the time that acknowledged votes took, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Line:
    """One browser: cookies, and a connection that is opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(
        self, method: str, path: str, fields: dict[str, str] | None = None, *, fragment: bool = False, cut: bool = False
    ) -> Answer:
        """One request; `cut` sends it and loses the answer, as a line that breaks does. Raises OSError."""
        began = time.monotonic()
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
            reader, writer = self.streams
            writer.write(self._request(method, path, fields, fragment))
            await writer.drain()
            if cut:
                await reader.read(1)
                raise ConnectionResetError("the answer was lost")
            status, headers, body = await self._read(reader)
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            self.close()
            raise OSError(str(error)) from error
        except BaseException:
            self.close()
            raise
        if headers.get("connection") == "close":
            self.close()
        now = time.monotonic()
        return Answer(status, headers, body, seconds=now - began, at=now)

    def close(self) -> None:
        """Hang up."""
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None

    def _request(self, method: str, path: str, fields: dict[str, str] | None, fragment: bool) -> bytes:
        body = urlencode(fields).encode() if fields is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept-Encoding: gzip"]
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if fragment:
            lines.append("HX-Request: true")
        if fields is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def _read(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in head[1:]:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookie, _, content = value.split(";")[0].partition("=")
                self.cookies[cookie] = content
            elif name:
                headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        return int(head[0].split()[1]), headers, body


class Voter:
    """One rater who judges pair after pair, over several links if need be."""

    def __init__(self, port: int, links: list[str], tally: Tally, *, seed: int, cut_share: float = 0.0) -> None:
        self.line, self.links, self.tally = Line(port), list(links), tally
        self.draw, self.cut_share = random.Random(seed), cut_share

    async def vote(self, go_on: Callable[[], bool]) -> None:
        """Until nothing is left or `go_on` says no."""
        try:
            while self.links and go_on():
                fields = await self._sit_down(self.links.pop(0))
                while fields and go_on():
                    fields = await self._judge(fields)
        finally:
            self.line.close()

    async def _sit_down(self, link: str) -> dict[str, str]:
        landing = await self._insist(lambda: self.line.send("GET", link))
        token = dict(FIELD.findall(landing.body))[b"csrfmiddlewaretoken"].decode()
        await self._insist(lambda: self.line.send("POST", link, {"csrfmiddlewaretoken": token}))
        return (await self._insist(lambda: self.line.send("GET", "/rate/"))).fields

    async def _judge(self, fields: dict[str, str]) -> dict[str, str]:
        verdict, tries, began = self.draw.choice(VERDICTS), 0, 0.0

        async def post() -> Answer:
            nonlocal tries, began
            tries, began = tries + 1, time.time()
            cut = tries == 1 and self.draw.random() < self.cut_share
            self.tally.cut += cut
            return await self.line.send("POST", "/rate/", fields | {"verdict": verdict}, fragment=True, cut=cut)

        answer = await self._insist(post)
        self.tally.acknowledged.append(Vote(fields["assignment"], fields["key"], verdict, began, tries))
        self.tally.seconds.append(answer.seconds)
        if answer.fields:
            return answer.fields
        return (await self._insist(lambda: self.line.send("GET", "/rate/"))).fields

    async def _insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask again, as the page does, until the answer is neither broken nor an apology."""
        wait = 0.05
        while True:
            try:
                answer = await asyncio.wait_for(ask(), PATIENCE_SECONDS)
            except OSError:
                self.tally.broken += 1
            else:
                self.tally.statuses[answer.status] += 1
                if answer.status < 500:
                    assert answer.status < 400, answer.body.decode()[:2000]
                    return answer
                self.tally.refusals.append(answer)
            await asyncio.sleep(wait * self.draw.uniform(0.5, 1))
            wait = min(LONGEST_WAIT, wait * 2)


async def vote_together(
    port: int, links: list[list[str]], *, go_on: Callable[[], bool] = lambda: True, tally: Tally | None = None
) -> Tally:
    """A voter for each list of links, all at once; what they saw."""
    seen = Tally() if tally is None else tally
    voters = [Voter(port, one, seen, seed=number) for number, one in enumerate(links)]
    await asyncio.gather(*(voter.vote(go_on) for voter in voters))
    return seen
