"""What it takes to call an endpoint: its address and key, read at the time of the call, and where it may live."""

import os
from difflib import get_close_matches
from urllib.parse import urlsplit

from django.conf import settings

from backends.adapters.contract import Target
from backends.encryption import Place, Unreadable, decrypt, encrypt
from backends.hosts import AddressPolicy
from backends.models import Endpoint
from backends.presets import base_url_for, profile_for
from experiments.refusals import Refused

# What opens this installation itself: whoever may choose an address could else have it sent there.
OUR_OWN = {
    *("SECRET_KEY", "BLINDPAIR_ENCRYPTION_KEYS", "METRICS_TOKEN"),
    *("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SENTRY_DSN", "POSTGRES_PASSWORD", "PGPASSWORD"),
}


class NoKey(Refused):
    """The environment variable that holds an endpoint's key is not set, or holds no endpoint's key."""


class NoSuchEndpoint(Refused):
    """No endpoint has this name."""


def endpoint_called(name: str) -> Endpoint:
    """The endpoint of this name; raises NoSuchEndpoint, naming the nearest."""
    found = Endpoint.objects.filter(name=name).first()
    if found is None:
        near = get_close_matches(name, list(Endpoint.objects.values_list("name", flat=True)), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " Describe it under [endpoints.NAME], or add it first."
        raise NoSuchEndpoint(f"no endpoint is called {name!r}.{hint}")
    return found


def policy() -> AddressPolicy:
    """Where endpoints of this installation may live."""
    make = AddressPolicy.scaled if settings.SCALED else AddressPolicy.embedded
    return make(settings.ENDPOINT_HOSTS)


def target_of(endpoint: Endpoint) -> Target:
    """The endpoint as an adapter needs it; raises NoKey, Unreadable, BadAddress, UnknownPreset."""
    return Target.of(
        dialect=endpoint.dialect,
        preset=endpoint.preset,
        base_url=endpoint.base_url,
        secret=secret_of(endpoint),
        headers=endpoint.headers,
    )


def secret_of(endpoint: Endpoint) -> str:
    """The key in clear, for one call; "" where there is none. Raises NoKey, Unreadable."""
    if endpoint.secret_env:
        check_variable(endpoint.secret_env)
        value = os.environ.get(endpoint.secret_env, "").strip()
        if not value:
            raise NoKey(
                f"the environment variable {endpoint.secret_env}, which holds the key of endpoint {endpoint.name!r}, "
                "is not set here. Set it where collecting runs, then collect again."
            )
        return value
    return decrypt(endpoint.secret, place_of(endpoint)) if endpoint.secret else ""


def check_variable(name: str) -> None:
    """Raise NoKey where the variable holds a secret of ours."""
    if name in OUR_OWN:
        raise NoKey(f"{name} opens this installation itself and is no endpoint's key: name another variable.")


def unreadable() -> list[str]:
    """The endpoints whose stored key nothing in the ring opens, by name: it must be entered again."""
    return [one.name for one in Endpoint.objects.exclude(secret="").order_by("name") if not _opens(one)]


def _opens(endpoint: Endpoint) -> bool:
    try:
        decrypt(endpoint.secret, place_of(endpoint))
    except Unreadable:
        return False
    return True


def keep_secret(endpoint: Endpoint, secret: str) -> None:
    """Put the secret, encrypted, into a stored endpoint's column (the caller saves); an empty one removes it."""
    endpoint.secret = encrypt(secret, place_of(endpoint)) if secret else ""


def place_of(endpoint: Endpoint) -> Place:
    """What the endpoint's secret is bound to: the host that is really called, be it the preset's own."""
    return Place(table=Endpoint._meta.db_table, row=endpoint.pk, host=host_of(endpoint))


def host_of(endpoint: Endpoint) -> str:
    """Scheme, host and port: a key that was given for https is not sent in clear either."""
    profile = profile_for(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url)
    parts = urlsplit(base_url_for(profile, endpoint.base_url))
    return f"{parts.scheme}://{parts.netloc}".lower()
