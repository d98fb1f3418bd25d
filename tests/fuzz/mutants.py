"""One damaged or odd file, its name and what it is to become: all from a seed and a number, so it can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.fuzz import packages, raw, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fuzz.seeds import Seed

_DAMAGE = {"zip": packages.damage, "text": texts.damage, "parquet": raw.damage, "binary": raw.damage}
_SUFFIXES = (
    ".xlsx",
    ".xls",
    ".xlsm",
    ".csv",
    ".txt",
    ".tsv",
    ".parquet",
    ".jsonl",
    ".ods",
    ".xlsb",
    ".CSV",
    ".dat",
    "",
)
_OUTPUTS = (".xlsx", ".csv", ".tsv", ".parquet", ".jsonl")
_SAME_KIND = {".ods": ".xlsx", ".xls": ".xlsx"}
_MISNAMED = 0.08
_CONVERTED = 0.25
_UNTOUCHED = 0.01


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file to run the program on. `output` is the suffix of the result; `done` says what was done to the seed."""

    number: int
    seed: str
    suffix: str
    output: str
    data: bytes
    done: str


def make(run_seed: int, number: int, seeds: Sequence[Seed]) -> Mutant:
    """Make mutant `number` of a run."""
    chance = Random(f"{run_seed}:{number}")  # noqa: S311 - no secret
    seed = chance.choices(seeds, [one.weight for one in seeds])[0]
    data, done = (seed.data, "untouched") if chance.random() < _UNTOUCHED else _DAMAGE[seed.kind](seed.data, chance)
    if seed.kind == "text" and chance.random() < 0.3:
        data, more = texts.damage(data, chance)
        done = f"{done}; {more}"
    suffix = chance.choice(_SUFFIXES) if chance.random() < _MISNAMED else seed.suffix
    output = chance.choice(_OUTPUTS) if chance.random() < _CONVERTED else _SAME_KIND.get(seed.suffix, seed.suffix)
    return Mutant(number, seed.name, suffix, output, data, done)
