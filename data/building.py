"""A whole corpus: every stage in its order, each kept until the last one is done, so that a build that was stopped goes
on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from data.card import CARD_JSON, CorpusCard, write_card
from data.settings import CorpusSettings
from data.shards import shards_in
from data.splitting import SplitTotals, count_splits
from data.stages import Stage, stages_of
from data.tally import Tally, total

STAGES = "stages"
DONE = "done.json"


@dataclass(frozen=True)
class Started:
    """A stage begins. shards: how many it has to go through; None where nobody knows."""

    stage: Stage
    shards: int | None


@dataclass(frozen=True)
class Advanced:
    """A stage went on. tally: what it did since it said so last."""

    stage: Stage
    tally: Tally


@dataclass(frozen=True)
class Ended:
    """A stage is done. again: whether it had been done before, by a build that was stopped."""

    stage: Stage
    tally: Tally
    again: bool


@dataclass(frozen=True)
class Built:
    """The corpus is there."""

    card: CorpusCard


Event = Started | Advanced | Ended | Built


def build(
    settings: CorpusSettings, out: Path, processes: int = 1, overwrite: bool = False, keep_stages: bool = False
) -> Generator[Event, None, None]:
    """Write the shards of each split and the data card into `out`; what happens while it does.

    Args:
        processes: on how many processors; the result does not depend on it.
        overwrite: replace a finished corpus.
        keep_stages: leave what every stage wrote in `out/stages`.

    Raises: InputError.
    """
    if not settings.sources:
        raise InputError("name sources: in a config, or with --source")
    if (out / CARD_JSON).exists() and not overwrite:
        raise InputError(f"{out} holds a corpus; name another folder, or replace it with --overwrite")
    _remove_corpus(out)
    shards: list[Path] = []
    fingerprint = ""
    tallies: dict[str, Tally] = {}
    for number, stage in enumerate(stages_of(settings)):
        fingerprint = stage.fingerprint(fingerprint)
        stage_folder = out / STAGES / f"{number}-{stage.name}"
        for event in _run_once(stage, shards, stage_folder, fingerprint, processes):
            if isinstance(event, Ended):
                tallies[stage.name] = event.tally
            yield event
        if not tallies[stage.name].documents_out:
            raise InputError(_nothing_left(stage, tallies[stage.name]))
        shards = shards_in(stage_folder)
    shards = [_moved(shard, out, keep_stages) for shard in shards]
    splits = _summed(count_splits(shards, processes))
    card = CorpusCard.of(settings, tallies, splits)
    write_card(card, out)
    if not keep_stages:
        shutil.rmtree(out / STAGES)
    yield Built(card)


def run_stage(stage: Stage, shards: Sequence[Path], out: Path, processes: int) -> Iterator[Event]:
    """One stage alone, from shards into a folder. Raises InputError."""
    yield Started(stage, len(shards) or None)
    if any(out.glob("*.parquet")):
        raise InputError(f"{out} holds shards already; name another folder")
    out.mkdir(parents=True, exist_ok=True)
    tallies = []
    for tally in stage.run(shards, out, processes):
        tallies.append(tally)
        yield Advanced(stage, tally)
    yield Ended(stage, total(tallies), again=False)


def _run_once(stage: Stage, shards: Sequence[Path], out: Path, fingerprint: str, processes: int) -> Iterator[Event]:
    """A stage, unless its folder says that it was done as it would be done now."""
    done = _done(out, fingerprint)
    if done is not None:
        yield Started(stage, None)
        yield Ended(stage, done, again=True)
        return
    if out.exists():
        shutil.rmtree(out)
    for event in run_stage(stage, shards, out, processes):
        if isinstance(event, Ended):
            content = {"fingerprint": fingerprint, "tally": event.tally.as_json()}
            (out / DONE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        yield event


def _done(folder: Path, fingerprint: str) -> Tally | None:
    """The tally of a stage, if it was done and would do the same again."""
    try:
        content = json.loads((folder / DONE).read_bytes())
        return Tally.of_json(content["tally"]) if content["fingerprint"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _nothing_left(stage: Stage, tally: Tally) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in tally.dropped.most_common(3))
    if stage.name == "collect" and not reasons:
        return "the sources hold no files in the languages that are asked for"
    return f"nothing is left after {stage.name}: {tally.documents_in} came in, and were dropped ({reasons})"


def _remove_corpus(out: Path) -> None:
    for file in (*out.glob("*.parquet"), out / CARD_JSON):
        file.unlink(missing_ok=True)


def _moved(shard: Path, out: Path, keep: bool) -> Path:
    target = out / shard.name
    if keep:
        shutil.copy2(shard, target)
        return target
    return shard.replace(target)


def _summed(counts: Iterator[SplitTotals]) -> SplitTotals:
    totals: SplitTotals = {}
    for count in counts:
        for split, counter in count.items():
            if split in totals:
                totals[split].update(counter)
            else:
                totals[split] = counter
    return totals
