"""The rows an experiment file names: its inputs and the answers recorded already, joined and checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from backends.actions import RecordedAnswer, prepare_recorded
from console.experiment_file import ExperimentSpec, SystemSpec
from console.taking_inputs import masked, new_input, spare_answers
from console.toml_tables import BadFile
from experiments.actions import NewInput
from experiments.models import PersonalData
from experiments.personal_data import looked_at, masks_of
from experiments.sampling import choose
from experiments.spares import Recorded
from experiments.uploads import BadRow, InputRow, OutputRow, Upload, read, read_outputs

Answers = dict[str, RecordedAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the files hold: the inputs chosen, recorded answers by system and input id, and what to mind.

    `spares` are the rows that were not chosen, `masks` what was masked (see `experiments.personal`).
    """

    inputs: tuple[NewInput, ...]
    recorded: Mapping[str, Mapping[str, RecordedAnswer]]
    spares: tuple[tuple[NewInput, Recorded], ...] = ()
    masks: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_rows(spec: ExperimentSpec, *, encoding: str | None = None) -> Rows:
    """Read and join every file that the experiment file names; raises BadFile with every bad row by file and line.

    Answers are made ready for raters here, so that writing them is quick.
    """
    upload = _inputs(spec, encoding)
    problems = _named(spec.inputs, upload.bad_rows)
    ids = {row.external_id: row for row in upload.rows}
    recorded = _inline(spec, upload, problems)
    for system in spec.systems:
        if system.outputs:
            if system.name in recorded:
                twice = (
                    f"the answers of {system.name!r} are given twice, in {system.outputs.name} and {spec.inputs.name}."
                )
                problems.append(f"{spec.path.name}: {twice}")
            recorded[system.name] = _from_file(
                system, system.outputs, None if upload.bad_rows else ids, encoding, problems
            )
    problems += _without_answers(spec, recorded)
    if problems:
        raise BadFile(problems)
    masks = masks_of() if spec.fields["personal_data"] == PersonalData.MASK else None
    looked = {row.external_id: looked_at(new_input(row), masks) for row in upload.rows}
    answers = {
        system: {key: masked(answer, masks) for key, answer in found.items()} for system, found in recorded.items()
    }
    chosen = tuple(looked[row.external_id] for row in _sampled(spec, upload.rows))
    joined = _joined(spec, chosen, answers, upload.notes)
    taken = {one.external_id for one in chosen}
    spares = tuple((one, spare_answers(one, answers)) for key, one in looked.items() if key not in taken)
    return replace(joined, spares=spares, masks=masks.state if masks else {})


def _inputs(spec: ExperimentSpec, encoding: str | None) -> Upload:
    _there(spec.inputs)
    how: dict[str, Any] = {"encoding": encoding, "delimiter": spec.delimiter, "columns": spec.columns}
    upload = read(spec.inputs, name=spec.inputs.name, **how)
    # A table may have a column of answers for each system, headed by its name.
    answers = [one.name for one in spec.systems if not one.endpoint and one.name in upload.other_columns]
    if answers:
        upload = read(spec.inputs, name=spec.inputs.name, output_columns=answers, **how)
    return upload


def _inline(spec: ExperimentSpec, upload: Upload, problems: list[str]) -> dict[str, Answers]:
    names = [system.name for system in spec.systems]
    found: dict[str, Answers] = {}
    for row in upload.rows:
        for system, text in row.outputs.items():
            if system not in names:
                near = get_close_matches(system, names, n=1, cutoff=0.6)
                hint = f" Did you mean {near[0]!r}?" if near else f" The systems are: {', '.join(names)}."
                problems.append(
                    f"{spec.inputs.name}, line {row.line}: an output of {system!r}, which is no system.{hint}"
                )
                continue
            found.setdefault(system, {})[row.external_id] = RecordedAnswer(text=text)
    return found


def _from_file(
    system: SystemSpec, path: Path, ids: Mapping[str, InputRow] | None, encoding: str | None, problems: list[str]
) -> Answers:
    """Without `ids` (rows of the inputs are bad, so not all are known) nothing is said about ids."""
    _there(path)
    upload = read_outputs(path, name=path.name, encoding=encoding, system=system.name)
    problems += _named(path, upload.bad_rows)
    answers: Answers = {}
    for row in upload.rows:
        if ids is None or row.external_id in ids:
            answers[row.external_id] = _answer(row)
        else:
            near = get_close_matches(row.external_id, list(ids), n=1, cutoff=0.6) if len(problems) < 100 else []
            hint = f" Did you mean {near[0]!r}?" if near else ""
            problems.append(
                f"{path.name}, line {row.line}: an output for {row.external_id!r}, which is no input's id.{hint}"
            )
    return answers


def _answer(row: OutputRow) -> RecordedAnswer:
    return RecordedAnswer(
        text=row.output,
        latency_ms=row.latency_ms,
        ttft_ms=row.ttft_ms,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
    )


def _without_answers(spec: ExperimentSpec, recorded: Mapping[str, Answers]) -> list[str]:
    problems = []
    for system in spec.systems:
        if system.name in recorded:
            continue
        if not system.endpoint:
            problems.append(
                f"{spec.path.name}: [systems.{system.name}] needs an 'endpoint' to ask, or recorded 'outputs'; "
                f"{spec.inputs.name} holds no answers of it either."
            )
        elif not system.model:
            problems.append(f"{spec.path.name}: 'model' of [systems.{system.name}] is missing.")
    return problems


def _sampled(spec: ExperimentSpec, rows: Sequence[InputRow]) -> Sequence[InputRow]:
    if spec.sample is None or spec.sample >= len(rows):
        return rows
    return choose(rows, spec.sample, seed=spec.fields["seed"])


def _joined(
    spec: ExperimentSpec, rows: tuple[NewInput, ...], recorded: Mapping[str, Answers], notes: Iterable[str]
) -> Rows:
    prompts = {row.external_id: "\n".join(message["content"] for message in row.messages) for row in rows}
    names = [word for system in spec.systems for word in (system.name, system.model) if word]
    kept = {
        system: prepare_recorded(
            {key: answer for key, answer in answers.items() if key in prompts}, prompts=prompts, names=names
        )
        for system, answers in recorded.items()
    }
    missing = [
        f"{system}: no recorded answer to {len(rows) - len(answers)} of {len(rows)} inputs; counted as missing."
        for system, answers in kept.items()
        if len(answers) < len(rows)
    ]
    return Rows(inputs=rows, recorded=kept, warnings=(*notes, *missing))


def _there(path: Path) -> None:
    if not path.is_file():
        raise BadFile([f"{path} does not exist." if not path.exists() else f"{path} is no file."])


def _named(path: Path, rows: Iterable[BadRow]) -> list[str]:
    return [f"{path.name}, {row}" for row in rows]
