"""Long trainings in segments, each saved with the states of its networks: a killed one resumes.

Networks are trained in blocks, one after the other: as many at a time as there are threads, or more
where they are small. The file holds the series of all networks so far and the states of the
networks of one block alone; once everything is done, it is the file of the ensemble.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from time import monotonic
from typing import Any

import numpy as np

from lindmft._internal.difference import first_difference
from lindmft._internal.files import check_folder
from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Callback, Path, TrainDict
from lindmft._internal.validation import conflict, describe, file_path, integer, refuse
from lindmft.problem.averages import Average, to_table
from lindmft.problem.problem import Problem
from lindmft.results import netcdf
from lindmft.results.content import Content
from lindmft.results.dataset import ensemble_to_dataset
from lindmft.results.ensemble import Ensemble, ensemble_from_core
from lindmft.results.observables import ENSEMBLE
from lindmft.results.places import check_suffix
from lindmft.results.reading import ensemble_from_dataset
from lindmft.training import spectra

STATE_VERSION = 1
"""Raised when networks can no longer be resumed from the states of the version before."""
FEWEST_STEPS = 100
SMALL = 2**26
"""Bytes of the networks that are trained together even if there are fewer threads: 64 MiB."""
PATIENCE = 10.0
"""Default time between two saves, in units of the time that a save took."""


@dataclass(frozen=True)
class Training:
    """A call of ``train`` in checked values.

    ``options`` are those of the compiled module; ``segment(seeds, stop, start, progress)`` trains
    some of the networks up to a step, with other options where they are given.
    """

    problem: Problem
    steps: int
    options: dict[str, Any]
    block: int
    segment: Callable[..., TrainDict]
    average: Average | None = None

    @property
    def seeds(self) -> list[int]:
        """The seeds of all networks."""
        return [int(seed) for seed in self.options["seeds"]]

    def tables(self) -> dict[str, Any]:
        """Return all that must be the same in the checkpoint; the threads may differ."""
        given = self.options
        return {
            **self.problem.to_dict(),
            "steps": self.steps,
            "seeds": self.seeds,
            "dtype": given["precision"],
            "noise_draw": given["noise_draw"][0],
            **{name: given[name] for name in ("dim", "kernels", "updates", "modes")},
            "average": _table(self.average),
            **spectra.asked(given),
        }

    def spectra_of(self, begin: int, stop: int) -> dict[str, Any]:
        """Return the option that asks for the spectra of these steps alone."""
        given = self.options.get("spectrum_at", ())
        return {"spectrum_at": [step for step in given if begin <= step < stop]}


def checked_checkpoint(path: Any, every: Any) -> tuple[FilePath | None, int | None]:
    """Return the file, and the steps of a segment if they are given; refused before any work."""
    if path is None:
        if every is not None:
            conflict(
                "checkpoint_every",
                "checkpoint=None",
                "it says how often a checkpoint is saved",
                "Give checkpoint a file, or leave checkpoint_every out",
            )
        return None, None
    netcdf.require_netcdf()
    file = FilePath(file_path(path, "checkpoint"))
    check_suffix(file, "checkpoint")
    check_folder(file)
    if every is None:
        return file, None
    length = integer(every, "checkpoint_every")
    if length < 1:
        refuse("checkpoint_every", "at least 1", every)
    return file, length


def train_with_checkpoints(
    training: Training, path: FilePath, every: int | None, progress: Callback | None
) -> Ensemble:
    """Train in segments, from where the file ends if there is one.

    Without a number of steps, not every segment is saved: saving takes a tenth of the time at most.
    """
    length = every or max(FEWEST_STEPS, training.steps // 10)
    saved, seconds = monotonic(), 0.0
    record = _resumed(training, path) if path.exists() else Record(training)
    while group := record.next_group(length):
        stop = record.next_stop(group, length)
        start = [record.states[i] for i in group]
        seeds = [training.seeds[i] for i in group]
        callback = _of_the_whole(progress, record)
        own = training.spectra_of(min(record.done[i] for i in group), stop)
        try:
            result = training.segment(seeds, stop, start, callback, own)
        except ValueError as error:
            raise ValueError(f"the checkpoint {path} cannot be resumed: {error}") from error
        with signals_deferred():
            record.add(result, group, stop)
            begin = monotonic()
            if every or record.finished or begin > saved + PATIENCE * seconds:
                record.save(path)
                saved, seconds = monotonic(), monotonic() - begin
    assert record.runs is not None  # there is at least one seed, and one step
    return record.runs


def _table(average: Average | None) -> dict[str, Any]:
    return {} if average is None else to_table(average)


def _of_the_whole(progress: Callback | None, record: "Record") -> Callback | None:
    """Report steps of all networks, where a segment counts from its start."""
    if progress is None:
        return None
    callback, before = progress, sum(record.done)
    total = record.training.steps * len(record.done)
    return lambda done, _total: callback(before + done, total)


class Record:
    """Progress of a training: the series so far, and the states of unfinished networks."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.done = [0] * len(training.seeds)
        self.states = [b""] * len(training.seeds)
        self.runs: Ensemble | None = None

    @property
    def finished(self) -> bool:
        """Whether all networks are at the last step."""
        return all(done == self.training.steps for done in self.done)

    def next_group(self, every: int) -> list[int]:
        """Return the networks that are trained next: of the block, those that are behind."""
        left = [i for i, done in enumerate(self.done) if done < self.training.steps]
        block = left[: self.training.block]
        return [i for i in block if self.done[i] < self.next_stop(block, every)]

    def next_stop(self, block: list[int], every: int) -> int:
        """Return the next multiple of ``every``, or the end."""
        if not block:
            return self.training.steps
        reached = min(self.done[i] for i in block)
        return min(self.training.steps, (reached // every + 1) * every)

    def add(self, result: TrainDict, group: list[int], stop: int) -> None:
        """Add the series and states of a segment."""
        part = ensemble_from_core(self.training.problem, result, self.training.average)
        if self.runs is None:
            self.runs = _empty(part, self.training)
        diverged = list(self.runs.diverged_at)
        for row, i in enumerate(group):
            diverged[i] = part.diverged_at[row]
            end = stop if diverged[i] is None else self.training.steps
            for name in filter(part.has, ENSEMBLE):
                entries = getattr(part, name)[row, ..., self.done[i] : end]
                getattr(self.runs, name)[i, ..., self.done[i] : end] = entries
            if self.runs.has("spectrum"):
                found = part.spectrum if part.has("spectrum") else None
                lost = diverged[i] is not None
                spectra.add(self.runs.spectrum, found, (i, row), (self.done[i], stop), lost)
            self.done[i] = end
            self.states[i] = result["state"][row] if end < self.training.steps else b""
        self.runs = replace(
            self.runs,
            diverged_at=tuple(diverged),
            stats=_sum_of_work(self.runs, part),
            provenance=part.provenance,
        )

    def save(self, path: Path) -> None:
        """Write the file; once all networks are done, that of the ensemble."""
        assert self.runs is not None
        if self.finished:
            self.runs.save(path, force=True)  # in the place of the unfinished training
            return
        states = {
            f"state_{i}": ((f"byte_{i}",), np.frombuffer(state, np.uint8))
            for i, state in enumerate(self.states)
            if state
        }
        dataset = ensemble_to_dataset(self.runs).assign(
            {"done": (("seed",), np.array(self.done)), **states}
        )
        names = ("kernels", "updates", "modes")
        flags = {name: int(self.training.options[name]) for name in names}
        attrs = {"format": netcdf.TRAINING, "state_version": STATE_VERSION, **flags}
        netcdf.write(dataset.assign_attrs(attrs), path)


def _empty(part: Ensemble, training: Training) -> Ensemble:
    """Return an ensemble of all networks with zeros, in the form of this one of some."""
    count = len(training.seeds)
    kept = {name: getattr(part, name) for name in filter(part.has, ENSEMBLE)}
    fields: dict[str, Any] = {
        name: np.zeros((count, *series.shape[1:])) for name, series in kept.items()
    }
    fields["spectrum"] = spectra.none_yet(training.options, count)
    stats = replace(part.stats, seconds=0.0, operations=0.0, bytes_moved=0.0)
    return replace(
        part, seeds=tuple(training.seeds), diverged_at=(None,) * count, stats=stats, **fields
    )


def _sum_of_work(runs: Ensemble, part: Ensemble) -> Any:
    names = ("seconds", "operations", "bytes_moved")
    sums = {name: getattr(runs.stats, name) + getattr(part.stats, name) for name in names}
    return replace(part.stats, **sums)


def _resumed(training: Training, path: FilePath) -> Record:
    """Return the progress in the file; a ``ValueError`` says why it cannot be resumed."""
    name = f"the checkpoint {path}"
    record = Record(training)
    with netcdf.reading(path, netcdf.TRAINING, netcdf.ENSEMBLE) as dataset:
        record.runs = Ensemble(**ensemble_from_dataset(dataset))
        difference = _difference(training, record.runs)
        if dataset.attrs["format"] == netcdf.ENSEMBLE:
            record.done = [training.steps] * len(record.done)
        elif not difference:
            _read_states(record, Content(dataset), name)
    if difference:  # the file itself is complete
        field, mine, found = difference
        refuse(field, f"that of {name} ({describe(found)})", mine)
    return record


def _difference(training: Training, runs: Ensemble) -> tuple[str, Any, Any] | None:
    theirs = {
        **runs.problem.to_dict(),
        "steps": len(runs.time),
        "dim": runs.dim,
        "seeds": list(runs.seeds),
        "dtype": runs.dtype,
        "noise_draw": runs.noise_draw,
        "kernels": runs.has("kernel_scale"),
        "updates": runs.has("feature_update"),
        "modes": runs.has("mode_loss"),
        "average": _table(runs.average),
        **spectra.kept(runs.spectrum if runs.has("spectrum") else None),
    }
    return first_difference(training.tables(), theirs)


def _read_states(record: Record, content: Content, name: str) -> None:
    version = content.whole("state_version")
    if version != STATE_VERSION:
        raise ValueError(
            f"{name} must have states of version {STATE_VERSION}, got version {version}: another "
            "version of lindmft wrote it, and can finish it"
        )
    steps = record.training.steps
    done = content.array("done", "seed")
    if ((done < 0) | (done > steps)).any():
        refuse("done", f"from 0 to {steps}", done)
    record.done = [int(one) for one in done]
    for i, reached in enumerate(record.done):
        if 0 < reached < steps:
            state = content.array(f"state_{i}", f"byte_{i}")
            record.states[i] = state.astype(np.uint8).tobytes()
