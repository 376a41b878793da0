"""Experiments whose every hidden column holds something rare, and eyes that find it in any disguise."""

import base64
import codecs
import hashlib
import json
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from django.test import Client

from accounts.models import User
from backends.models import Completion, Endpoint, System
from experiments.models import Arm, Experiment, Output
from ratings.actions import make_comparisons
from ratings.links import invite
from tests.factories import NOW, a_user, an_experiment

OWNER = "owner-of-canaries@example.org"
SHORT = 7  # shorter canaries would be found by chance in hexadecimal handles


def canaries(number: int) -> dict[str, str]:
    """What is hidden of one system: column -> rare text."""
    return {
        "name": f"Zyxomatic-{number}-Quillfeather",
        "model_id": f"quillfeather/zyx-{number}b-instruct-awq",
        "endpoint": f"vault-of-zyxomatic-{number}",
        "address": f"zyx{number}.quillfeather.example",
        "prompt": f"You are the zyxomatic oracle {number}.",
        "temperature": f"0.837465{number}",
        "price": f"13.57924{number}",
        "latency": f"98765.43{number}",
        "tokens": f"76543{number}",
        "fact": f"licence-of-quillfeather-{number}",
        "raw": f"raw zyxomatic thoughts {number}",
        "trouble": f"zyxomatic-request-id-{number}",
    }


def a_world(*, arms: int = 2, inputs: int = 4, owner: User | None = None, **fields: Any) -> Experiment:
    """An experiment open for rating, with canaries in every hidden column of its envelope and its title."""
    experiment = an_experiment(
        inputs=inputs, slug="slug-of-the-quillfeather-study", title="Title of the Quillfeather study", **fields
    )
    experiment.owners.add(owner or a_user(OWNER))
    for number in range(1, arms + 1):
        system = _system(experiment, number)
        if number == 1:
            experiment.baseline = system.arm
    experiment.status, experiment.sealed_at, experiment.seal = "rating", NOW, "5ea1" * 16
    experiment.save()
    make_comparisons(experiment=experiment)
    return experiment


def _system(experiment: Experiment, number: int) -> System:
    secret = canaries(number)
    endpoint = Endpoint.objects.create(
        name=secret["endpoint"],
        dialect="openai",
        base_url=f"https://{secret['address']}/v1",
        headers={"x": secret["fact"]},
    )
    system = System.objects.create(
        arm=Arm.objects.create(experiment=experiment),
        endpoint=endpoint,
        name=secret["name"],
        model_id=secret["model_id"],
        system_prompt=secret["prompt"],
        parameters={"temperature": float(secret["temperature"])},
        cost={"input_per_million": float(secret["price"])},
        facts={"licence": secret["fact"]},
        preflight={"fingerprint": secret["trouble"]},
    )
    for item in experiment.inputs.all():
        # Alike in length and kind, so that nothing but the letters differs between arms.
        letter = "abcdefgh"[number]
        text = f"Response {letter * 3} to {item.external_id:>6}, in a few words."
        output = Output.objects.create(input=item, arm=system.arm, text=text, html=f"<p>{text}</p>")
        Completion.objects.create(
            system=system,
            input=item,
            state="done",
            outcome="complete",
            output=output,
            raw_text=secret["raw"],
            latency_ms=float(secret["latency"]),
            usage={"output": int(secret["tokens"])},
            sentence=secret["trouble"],
            finished_at=datetime(2026, 11, 1, 3, 14, 15, 926535, tzinfo=UTC),
        )
    return system


def hidden(arms: int) -> list[str]:
    """Every canary of a world with so many arms, and what else raters never see."""
    texts = [text for number in range(1, arms + 1) for text in canaries(number).values()]
    return [
        *texts,
        "slug-of-the-quillfeather-study",
        "Title of the Quillfeather study",
        "5ea15ea15ea1",
        "03:14:15.926535",
    ]


def disguises(text: str) -> set[bytes]:
    """The text as it might slip out: squeezed, reversed, rotated, encoded, escaped, hashed."""
    data = text.encode()
    squeezed = "".join(letter for letter in text if letter.isalnum())
    plain = {
        text,
        text.lower(),
        text[::-1],
        codecs.encode(text, "rot13"),
        quote(text, safe=""),
        escape(text),
        json.dumps(text)[1:-1],
    }
    if len(squeezed) >= SHORT:
        plain |= {squeezed, squeezed.lower()}
    found = {one.encode() for one in plain if len(one) >= SHORT}
    found.add(data.hex().encode())
    for shift in range(3):
        # The middle of the encoding, which does not depend on what stands before and after.
        whole = base64.b64encode(b"\0" * shift + data)
        found.add(whole[4 if shift else 0 : -4])
    found |= {hashlib.new(kind, data).hexdigest().encode() for kind in ("md5", "sha1", "sha256")}
    return {one for one in found if len(one) >= SHORT}


class Eyes:
    """Looks at bytes for any canary in any disguise, in capitals or not."""

    def __init__(self, texts: list[str]) -> None:
        self.looking_for = {shape.lower(): text for text in texts for shape in disguises(text)}
        self.seen: dict[bytes, set[str]] = {}

    def see(self, data: bytes) -> set[str]:
        """The canaries found; what was looked at before is not looked at again."""
        low = data.lower()
        if low not in self.seen:
            self.seen[low] = {text for shape, text in self.looking_for.items() if shape in low}
        return self.seen[low]


def a_seated_rater(experiment: Experiment, label: str = "Rater 1") -> Client:
    """A browser that has exchanged a personal link."""
    [link] = invite(experiment=experiment, labels=[label])
    client = Client()
    path = "/r/" + link.url.split("/r/")[1]
    assert client.post(path).status_code in {302, 303}
    return client
