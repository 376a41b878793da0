"""An experiment as a TOML file: what it may say, and how it is checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from backends.deadlines import DEFAULTS, LONGEST, problems
from backends.presets import DIALECTS, PRESETS
from console.toml_tables import Source, Table, plain
from experiments.actions import RETENTION_DAYS, NewCriterion
from experiments.models import Pairs, PersonalData
from reports.assumptions import GENERAL, MOST, OF_A_SYSTEM, problem
from reports.benchmarks import Score

COLUMNS = ("input", "id", "system_prompt", "tags", "reference", "outputs")
QUESTION = "Which answer is better?"
IN_CLEAR = "Put the key into an environment variable and name that with secret_env."


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpec:
    """A server, as the file describes it."""

    name: str
    dialect: str
    preset: str
    base_url: str
    secret_env: str
    headers: Mapping[str, str]
    max_concurrency: int
    deadlines: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSpec:
    """A model with its settings; `endpoint` is empty where all its answers are recorded."""

    name: str
    endpoint: str
    model: str
    system_prompt: str
    parameters: Mapping[str, Any]
    samples: int
    concurrency: int
    cost: Mapping[str, Any]
    facts: Mapping[str, Any]
    outputs: Path | None
    benchmarks: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSpec:
    """All that the TOML file itself says; `fields` are columns of Experiment, `economics` is None where not stated."""

    path: Path
    fields: Mapping[str, Any]
    inputs: Path
    columns: Mapping[str, str]
    delimiter: str
    sample: int | None
    baseline: str
    criteria: tuple[NewCriterion, ...]
    endpoints: tuple[EndpointSpec, ...]
    systems: tuple[SystemSpec, ...]
    economics: Mapping[str, float] | None = field(default=None)


def read_toml(path: Path) -> ExperimentSpec:
    """The file's content, checked by itself; raises BadFile with every problem. Other files are not opened yet."""
    source = Source(path)
    top = Table(source, source.values)
    fields = _fields(top)
    inputs = path.parent / top.text("inputs", required=True)
    columns, delimiter = _columns(Table(source, top.take("columns", dict, {}), "columns")), top.text("delimiter")
    sample = top.whole("sample", least=1)
    baseline = top.text("baseline")
    criteria = _criteria(source, top.rows("criteria"))
    endpoints = tuple(_endpoint(table) for table in top.tables("endpoints").values())
    systems = tuple(_system(table, path.parent) for table in top.tables("systems").values())
    economics = _economics(Table(source, top.take("economics", dict, {}), "economics"))
    top.finish()
    fields["pairs"] = fields["pairs"] or (Pairs.BASELINE if baseline else Pairs.ALL)
    _check_together(source, systems, endpoints, baseline, fields["pairs"])
    source.stop_on_problems()
    return ExperimentSpec(
        path=path,
        fields=fields,
        inputs=inputs,
        columns=columns,
        delimiter=delimiter,
        sample=sample,
        baseline=baseline,
        criteria=criteria,
        endpoints=endpoints,
        systems=systems,
        economics=economics if "economics" in source.values else None,
    )


def _fields(top: Table) -> dict[str, Any]:
    return {
        "title": top.text("title", required=True, longest=200),
        "question": top.text("question", QUESTION, longest=500) or QUESTION,
        "instructions": top.text("instructions"),
        "margin": top.take("margin", float, 0.10, rule=lambda value: 0 < value < 0.5, must="above 0 and below 0.5"),
        "ratings_per_pair": top.whole("ratings_per_pair", 3, least=1, most=1000),
        "planned_raters": top.whole("planned_raters", 5, least=1, most=10_000),
        "repeat_share": top.share("repeat_share"),
        "control_share": top.share("control_share"),
        "seed": top.whole("seed", 0, most=2**63 - 1),
        "pairs": top.choice("pairs", Pairs.values),
        "personal_data": top.choice("personal_data", PersonalData.values),
        "retention_days": top.whole("retention_days", RETENTION_DAYS, most=36_500) or None,
        **{
            name: top.take(name, bool, False)
            for name in ("ask_acceptable", "ask_strength", "ask_guess", "require_comment", "monitored")
        },
    }


def _columns(table: Table) -> dict[str, str]:
    """Which column of the inputs holds what, where it has no usual name."""
    made = {field: table.text(field, longest=200) for field in COLUMNS}
    table.finish()
    return {field: column for field, column in made.items() if column}


def _criteria(source: Source, tables: list[Table]) -> tuple[NewCriterion, ...]:
    made: list[NewCriterion] = []
    for table in tables:
        name = table.text("name", required=True, longest=80)
        made.append(NewCriterion(name=name, description=table.text("description", longest=300)))
        table.finish()
        if name in {one.name for one in made[:-1]}:
            source.complain(f"two criteria are called {name!r}.")
    return tuple(made)


def _deadlines(table: Table) -> dict[str, float | None]:
    """In seconds; only those that are stated."""
    given = Table(table.source, table.take("deadlines", dict, {}), f"{table.name}.deadlines")
    stated = {
        name: given.take(
            name, float, rule=lambda value: 0 < value <= LONGEST, must=f"seconds, above 0 and at most {LONGEST:.0f}"
        )
        for name in DEFAULTS
    }
    given.finish()
    found = {name: value for name, value in stated.items() if value is not None}
    for sentence in problems(found):
        table.source.complain(f"[{table.name}]: {sentence}", key="deadlines")
    return found


def _endpoint(table: Table) -> EndpointSpec:
    made = EndpointSpec(
        name=_short_name(table),
        dialect=table.choice("dialect", DIALECTS, required=True),
        preset=table.choice("preset", sorted(PRESETS)),
        base_url=table.text("base_url", longest=500),
        secret_env=table.text("secret_env", longest=100),
        headers=_texts(table, "headers"),
        max_concurrency=table.whole("max_concurrency", 8, least=1, most=1000),
        deadlines=_deadlines(table),
    )
    table.finish(hints=dict.fromkeys(("secret", "api_key", "key", "token"), IN_CLEAR))
    return made


def _system(table: Table, folder: Path) -> SystemSpec:
    outputs = table.text("outputs")
    cost = Table(table.source, table.take("cost", dict, {}), f"{table.name}.cost")
    made = SystemSpec(
        name=_short_name(table),
        endpoint=table.text("endpoint"),
        model=table.text("model", longest=300),
        system_prompt=table.text("system_prompt"),
        parameters=plain(table.take("parameters", dict, {})),
        samples=table.whole("samples", 1, least=1, most=100),
        concurrency=table.whole("concurrency", 1, least=1, most=1000),
        cost=_cost(cost),
        facts=plain(table.take("facts", dict, {})),
        outputs=folder / outputs if outputs else None,
        benchmarks=tuple(_benchmark(one) for one in table.rows("benchmarks")),
    )
    table.finish()
    return made


def _benchmark(table: Table) -> Score:
    made = Score(
        name=table.text("name", required=True, longest=120),
        score=table.take("score", float, 0.0, required=True, rule=lambda value: abs(value) <= 1e9, must="a number"),
        source=table.text("source", required=True, longest=500),
        dated=date.fromisoformat(table.day("date", required=True) or "1970-01-01"),
    )
    table.finish()
    return made


def _cost(table: Table) -> dict[str, Any]:
    made: dict[str, Any] = {name: _amount(table, name, OF_A_SYSTEM) for name in OF_A_SYSTEM}
    made["price_date"], made["price_source"] = table.day("price_date"), table.text("price_source", longest=300)
    table.finish()
    if (made["residual_value"] or 0) > (made["purchase_price"] or 0):
        table.source.complain(
            f"'residual_value' of [{table.name}] must be at most its 'purchase_price'.", key="residual_value"
        )
    return {name: value for name, value in made.items() if value not in (None, "")}


def _economics(table: Table) -> dict[str, float]:
    made = {name: _amount(table, name, GENERAL) for name in GENERAL}
    table.finish()
    return {name: value for name, value in made.items() if value is not None}


def _amount(table: Table, name: str, bounds: Mapping[str, tuple[float, float]]) -> Any:
    least, most = bounds[name]
    must = f"a number of at least {least:g}" if most == MOST else f"a number from {least:g} to {most:g}"
    return table.take(name, float, rule=lambda value: not problem(name, value, bounds), must=must)


def _texts(table: Table, key: str) -> dict[str, str]:
    values = table.take(key, dict, {})
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    for name in wrong:
        table.source.complain(f"{key}.{name} of [{table.name}] must be text.", key=key)
    return {name: value for name, value in values.items() if name not in wrong}


def _short_name(table: Table) -> str:
    name = table.name.partition(".")[2]
    if not name.strip() or len(name) > 80:
        table.source.complain(f"[{table.name}]: a name has 1 to 80 characters.")
    return name


def _check_together(
    source: Source,
    systems: tuple[SystemSpec, ...],
    endpoints: tuple[EndpointSpec, ...],
    baseline: str,
    pairs: str,
) -> None:
    names = [system.name for system in systems]
    if len(names) < 2:
        source.complain("an experiment compares at least two systems: add [systems.NAME] tables.")
    if baseline and baseline not in names:
        source.complain(f"baseline {baseline!r} is none of the systems: {', '.join(names) or 'none'}.", key="baseline")
    if pairs == Pairs.BASELINE and not baseline:
        source.complain("pairs = 'baseline' needs a baseline: name one of the systems.", key="pairs")
    limits = {endpoint.name: endpoint.max_concurrency for endpoint in endpoints}
    for system in systems:
        most = limits.get(system.endpoint)
        if most is not None and system.concurrency > most:
            source.complain(
                f"'concurrency' of [systems.{system.name}] is {system.concurrency}, "
                f"but endpoint {system.endpoint!r} takes {most} at a time.",
                key="concurrency",
            )
