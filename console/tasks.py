"""Celery's part of the housekeeping, on the scaled footing."""

from celery import shared_task

from console.retention import sweep

SWEEP_TASK = "console.tasks.sweep"


def sweep_now() -> None:
    """Experiments whose retention is over are deleted. May come twice."""
    sweep()


# Called, not written as a decorator: Celery has no types, and the function keeps its own.
shared_task(name=SWEEP_TASK)(sweep_now)
