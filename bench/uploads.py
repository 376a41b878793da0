"""How much more memory a server needs for an upload of the largest size that is taken, in each format (R13).

    .venv/bin/python bench/uploads.py [--megabytes 20] [--only csv,json,…] [--sample 50] [--answers]

A file of prose (one letter in a hundred beyond ASCII, as in German or French; every fiftieth row with an emoji) is
uploaded, previewed and taken through the whole application, in a process of its own for each format, after a small file
of the same format. Told is by how much the process grew at most in each step. Goal: 64 MB.
"""

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
GOAL_MB, ROWS, MB, BOUNDARY = 64, 9_500, 1_000_000, "bench-of-uploads"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
Row = dict[str, str]


def main() -> int:
    """A line a format; the exit code is 1 where one needs more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--only", help="some formats, with commas between")
    parser.add_argument("--sample", type=int, help="take a sample of so many rows instead of all")
    parser.add_argument("--answers", action="store_true", help="take along the answers of a promptfoo file as systems")
    parser.add_argument("--leg", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.leg:
        print(json.dumps(leg(given.leg, given.megabytes, given.sample, answers=given.answers)))
        return 0
    print("format             size      read   upload  preview     take   (MB more than before; at most 64)")
    over = 0
    for name in given.only.split(",") if given.only else WRITERS:
        with tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder:
            words = [sys.executable, __file__, "--leg", name, "--megabytes", str(given.megabytes)]
            words += ["--sample", str(given.sample)] if given.sample else []
            words += ["--answers"] if given.answers else []
            environment = {**os.environ, "BLINDPAIR_DATA": folder, "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "testserver"}
            done = subprocess.run(words, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
        size, *grown = json.loads(done.stdout.splitlines()[-1])
        good = max(grown) <= GOAL_MB
        shown = " ".join(f"{one:8.1f}" for one in grown)
        print(f"{name:16} {size:5.1f} MB {shown}{'' if good else '   MISSED'}", flush=True)
        over += not good
    return 1 if over else 0


def leg(name: str, megabytes: float, sample: int | None, *, answers: bool) -> list[float]:
    """The size of the file, and by how many MB the process grew while it was read, uploaded, previewed and taken."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - only a leg has the environment for it

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - likewise

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    folder = Path(os.environ["BLINDPAIR_DATA"])
    small, large = folder / f"small.{ending(name)}", folder / f"large.{ending(name)}"
    for path, size in ((small, 0.1), (large, megabytes)):
        write(name, path, int(size * MB))
    taking = {"sample": sample or ""} | ({"with_systems": "on"} if answers else {})
    steps(small, taking)
    return [large.stat().st_size / MB, *steps(large, taking)]


def ending(name: str) -> str:
    """Of the file's name."""
    return name.partition(" ")[0]


def write(name: str, path: Path, size: int) -> None:
    """A file of about this size, in a process of its own so that this one does not grow."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            made = fitting(WRITERS[name], size)
            path.write_bytes(made)
            head = f'Content-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
            parts = [f"--{BOUNDARY}\r\n{head}\r\n".encode(), made, f"\r\n--{BOUNDARY}--\r\n".encode()]
            path.with_suffix(".body").write_bytes(b"".join(parts))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def fitting(writer: Callable[[list[Row]], bytes], size: int) -> bytes:
    """What the writer makes of as much prose as gives a file just below this size."""
    rows = max(10, int(ROWS * size / (20 * MB)))
    letters = size / rows
    for _ in range(6):
        made = writer(list(prose(rows, int(letters))))
        if 0.97 * size <= len(made) <= size:
            break
        letters *= 0.99 * size / len(made)
    assert len(made) <= size
    return made


def prose(rows: int, letters: int) -> Iterator[Row]:
    """Rows of an id and words."""
    draw = random.Random(1)
    alphabet = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(draw.choices(alphabet, k=draw.randint(2, 11))) for _ in range(20_000)]
    words += [word[:2] + "ü" + word[2:] for word in words[:1_500]]
    for number in range(rows):
        text = " ".join(draw.choices(words, k=max(1, letters // 7)))[:letters]
        yield {"id": f"in{number}", "input": text + (" 🙂" if number % 50 == 0 else "")}


def table(rows: list[Row], delimiter: str) -> bytes:
    """Delimited text."""
    file = io.StringIO()
    writer = csv.DictWriter(file, ["id", "input"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def lines(rows: list[Row]) -> bytes:
    """One object a line."""
    return b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in rows)


def promptfoo(rows: list[Row]) -> bytes:
    """As `promptfoo eval -o` writes it: the records lie in an object in an object."""
    results = [
        {
            "testIdx": number,
            "provider": {"id": "openai:one"},
            "prompt": {"raw": row["input"][: len(row["input"]) // 2]},
            "vars": {"question": "short"},
            "response": {"output": row["input"][len(row["input"]) // 2 :]},
        }
        for number, row in enumerate(rows)
    ]
    return json.dumps({"evalId": "e", "results": {"version": 3, "results": results}}, ensure_ascii=False).encode()


def workbook(rows: list[Row]) -> bytes:
    """Excel."""
    from openpyxl import Workbook  # noqa: PLC0415 - heavy, and of one format only

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["id", "input"])
    for row in rows:
        sheet.append(list(row.values()))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def workbook_of_excel(rows: list[Row]) -> bytes:
    """As Excel itself writes it: the texts of all cells lie in a part of their own, and cells give their numbers."""
    file, cells, texts = io.BytesIO(), [], []
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    with zipfile.ZipFile(io.BytesIO(workbook([]))) as plain, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for line, row in enumerate([{"id": "id", "input": "input"}, *rows], start=1):
            places = "".join(f'<c r="{name}{line}" t="s"><v>{len(texts) + at}</v></c>' for at, name in enumerate("AB"))
            cells.append(f'<row r="{line}">{places}</row>')
            texts += row.values()
        for part in plain.namelist():
            if part == "xl/worksheets/sheet1.xml":
                made.writestr(part, f'<worksheet xmlns="{SHEETS}"><sheetData>{"".join(cells)}</sheetData></worksheet>')
            else:
                made.writestr(part, plain.read(part).decode().replace("</Types>", named))
        made.writestr(
            "xl/sharedStrings.xml",
            f'<sst xmlns="{SHEETS}">{"".join(f"<si><t>{text}</t></si>" for text in texts)}</sst>',
        )
    return file.getvalue()


def parquet(rows: list[Row]) -> bytes:
    """Parquet, compressed as by default."""
    import pyarrow  # noqa: PLC0415 - an extra
    from pyarrow.parquet import write_table  # noqa: PLC0415 - likewise

    file = io.BytesIO()
    write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "csv": lambda rows: table(rows, ","),
    "csv with emoji": lambda rows: table([row | {"input": row["input"][:-2] + "🙂"} for row in rows], ","),
    "tsv": lambda rows: table(rows, "\t"),
    "jsonl": lines,
    "json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1).encode(),
    "json in one line": lambda rows: json.dumps(rows, ensure_ascii=False).encode(),
    "json in an object": lambda rows: json.dumps({"data": rows}, ensure_ascii=False, indent=1).encode(),
    "json of promptfoo": promptfoo,
    "xlsx": workbook,
    "xlsx of Excel": workbook_of_excel,
    "parquet": parquet,
}


def steps(path: Path, taking: dict[str, Any]) -> list[float]:
    """Read it, then upload, preview and take it as the fields of `taking` say; MB more at most in each."""
    from django.test import Client  # noqa: PLC0415 - likewise

    from accounts.models import User  # noqa: PLC0415 - needs the apps
    from console.drafting import begin  # noqa: PLC0415 - likewise
    from experiments.uploads import read  # noqa: PLC0415 - likewise

    owner = User.objects.get_or_create(email="owner@example.org")[0]
    place = f"/experiments/{begin(fields={'title': path.stem, 'question': 'Which?'}, criteria=[], by=owner).pk}/inputs/"
    client = Client()
    client.force_login(owner)
    answers: list[tuple[int, str]] = []

    def keep(answer: Any) -> None:  # an answer itself holds what its page was made of
        answers.append((answer.status_code, answer.headers.get("Location", "")))

    def upload() -> None:  # the test client's own way of posting holds the file several times
        body = path.with_suffix(".body")
        with body.open("rb") as file:
            words = {"PATH_INFO": f"{place}new/", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(body.stat().st_size)}
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            keep(client.request(**words, **{"wsgi.input": file, "CONTENT_TYPE": kind}))

    def take() -> None:
        fields = {name: one[0] for name, one in parse_qs(urlsplit(answers[0][1]).query).items()}
        keep(client.post(f"{place}taking/", fields | {"personal": "keep"} | taking))

    before = resident("VmRSS")
    grown = [
        peak(lambda: read(path).all_or_nothing()) - before,
        peak(upload) - before,
        peak(lambda: keep(client.get(answers[0][1]))) - before,
        peak(take) - before,
    ]
    assert [status for status, _place in answers] == [302, 200, 302], answers
    assert "were added" in client.get(place).content.decode()
    return grown


def peak(step: Callable[[], object]) -> float:
    """MB that the process held at most meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")  # the kernel's peak counts from here
    step()
    return resident("VmHWM")


def resident(field: str) -> float:
    """MB, by the kernel's account."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) * 1024 / MB


if __name__ == "__main__":
    sys.exit(main())
