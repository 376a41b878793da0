"""One tiny call to an endpoint, so that whoever enters it sees at once whether it works, and if not, why."""

from dataclasses import dataclass

from backends.adapters.contract import ChatRequest, Target
from backends.client import Deadlines, WireClient
from backends.endpoints import policy, target_of
from backends.failures import BackendFailure
from backends.fetching import fetch
from backends.hosts import BadAddress
from backends.models import Endpoint
from backends.presets import UnknownPreset
from backends.server_facts import listed_models
from backends.streams import Fetched
from experiments.refusals import Refused

QUESTION = "Say hello in one short sentence."
TOKENS = 24
WORDS = 160
DEADLINES = Deadlines(connect=5, silence=20, total=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of the call; `sentence` says what is wrong and what to do, and holds no key. Time in ms."""

    ok: bool
    sentence: str
    model: str = ""
    milliseconds: int | None = None
    words: str = ""
    models: tuple[str, ...] = ()


def try_endpoint(endpoint: Endpoint, *, model: str = "") -> Trial:
    """Ask for the list of models, then for a few words from one of them; raises nothing that a server can cause."""
    try:
        target = target_of(endpoint)
    except (Refused, BadAddress, UnknownPreset) as error:
        return Trial(ok=False, sentence=_whole(str(error)))
    with WireClient(policy=policy(), deadlines=DEADLINES) as client:
        try:
            models = listed_models(client, target)[1]
        except BackendFailure as failed:
            if not model:
                return Trial(ok=False, sentence=_whole(failed.sentence))
            models = ()
        chosen = model or next(iter(models), "")
        if not chosen:
            return Trial(ok=False, sentence="It can be reached, but lists no models. Name one to try.")
        chat = ChatRequest(
            model=chosen, messages=({"role": "user", "content": QUESTION},), parameters={"max_tokens": TOKENS}
        )
        _, result = fetch(client, target, chat)
    if isinstance(result, Fetched):
        return _answered(result, chosen, models)
    return Trial(ok=False, sentence=_whole(result.sentence), model=chosen, models=models)


def models_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The models that the server lists; empty where it cannot be asked."""
    try:
        with WireClient(policy=policy(), deadlines=DEADLINES) as client:
            return _models(client, target_of(endpoint))
    except (Refused, BadAddress, UnknownPreset):
        return ()


def _answered(result: Fetched, model: str, models: tuple[str, ...]) -> Trial:
    said = " ".join((result.text or result.reasoning).split())
    return Trial(
        ok=True,
        sentence="" if said else "It answers, but with no text.",
        model=result.model or model,
        milliseconds=round(result.latency_ms),
        words=said[:WORDS] + ("…" if len(said) > WORDS else ""),
        models=models,
    )


def _models(client: WireClient, target: Target) -> tuple[str, ...]:
    try:
        return listed_models(client, target)[1]
    except BackendFailure:
        return ()


def _whole(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
