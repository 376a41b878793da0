"""Prices for systems whose owner stated none: listed ones, marked by their source, and a word about each."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from backends import price_list
from backends.endpoints import endpoint_called
from backends.price_list import Offer
from console.experiment_file import ExperimentSpec, SystemSpec


def cost_of(system: SystemSpec) -> Mapping[str, Any]:
    """What the file says, else what the price list says of a model at its maker; its endpoint is there already."""
    found = _offer(system)
    return {**system.cost, **found.cost} if found else system.cost


def warnings(spec: ExperimentSpec) -> Iterator[str]:
    """Which prices were filled in, and which API has none; after the experiment was added."""
    for system in spec.systems:
        if found := _offer(system):
            yield f"no cost of {system.name!r} is stated, so the list price is filled in. {found.words}"
        elif _is_unpriced_api(system):
            hint = "" if price_list.is_installed() else f" {price_list.INSTALL}"
            yield f"no cost of {system.name!r} is stated: the report will say nothing about it.{hint}"


def _offer(system: SystemSpec) -> Offer | None:
    if not system.endpoint or price_list.priced(system.cost):
        return None
    return price_list.offer(endpoint_called(system.endpoint), system.model, today=timezone.now().date())


def _is_unpriced_api(system: SystemSpec) -> bool:
    if not system.endpoint or price_list.priced(system.cost):
        return False
    return price_list.sells(endpoint_called(system.endpoint))
