"""Work out how many machines a number of developers needs: `python -m benchmarks.studies.capacity`.

docs/capacity.md explains it. First the simulator has to say how long requests take on this machine, at loads that are
then measured.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated

import httpx
import typer

from benchmarks.report import Row, machine, print_rows, report_console, write_json
from benchmarks.serve_load import connected, requests, started
from benchmarks.studies.queueing import Station, Stay, simulate
from coder.model.checkpoint.opening import EMBEDDED

LOADS = (0.3, 0.6, 0.85)
"""Shares of what the server can do at most."""

SIMULATED_REQUESTS = 20_000
LONGEST_WAIT = 0.3
"""Seconds that 95 of 100 requests may take in the busiest hour."""


@dataclass(frozen=True)
class Demand:
    """Who asks how much. All of it is assumed; docs/capacity.md says why.

    Attributes:
        each: requests of a developer on a working day. busiest_hour: the share of a day's requests that come in it.
        context, written: tokens of a request. cached: the share of context tokens found in the cache.
    """

    developers: int
    busiest_hour: float
    each: int = 2000
    context: int = 700
    written: int = 12
    cached: float = 0.85

    @property
    def rate(self) -> float:
        """Requests a second in the busiest hour."""
        return self.developers * self.each * self.busiest_hour / 3600.0


@dataclass(frozen=True)
class Gpu:
    """A GPU that runs the embedded model in bfloat16. Assumed, not measured.

    Attributes:
        pass_seconds: of a forward pass of vLLM over a small batch: launching kernels and scheduling, not arithmetic.
        flops: that matrix products reach, a second. together: sequences in a batch. dollars: an hour.
    """

    pass_seconds: float = 0.006
    flops: float = 120e12
    together: int = 256
    dollars: float = 2.0

    def station(
        self, demand: Demand, parameters: float = 135e6, tokens_per_pass: float = 0.9, width: int = 17
    ) -> Station:
        """`tokens_per_pass` and `width` are those of verified decoding with 16 slots (README, Figures: 0.98)."""
        passes = 1 + demand.written / tokens_per_pass
        computed = demand.context * (1 - demand.cached) + (passes - 1) * width
        return Station(passes * self.pass_seconds, 2 * parameters * computed / self.flops, self.together)


DEMANDS = (Demand(10_000, busiest_hour=0.18), Demand(1_000_000, busiest_hour=0.10))


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    runtime: Annotated[str, typer.Option(help="'onnx' or 'torch'.")] = "onnx",
    seconds: Annotated[float, typer.Option(help="How long each load is measured.")] = 60.0,
    together: Annotated[int, typer.Option(min=2, help="How many requests are worked on at a time.")] = 8,
    plan_only: Annotated[bool, typer.Option(help="Measure nothing.")] = False,
) -> None:
    """Measure queueing here, simulate the same, then plan."""
    console = report_console()
    report: dict[str, object] = {"machine": machine()}
    if not plan_only:
        with console.status("measuring"):
            rows = asyncio.run(compared(model, runtime, seconds, together))
        print_rows(console, f"this machine, {together} requests at a time: measured and simulated", rows)
        report["queueing"] = rows
    plan = [planned(demand, Gpu()) for demand in DEMANDS]
    print_rows(console, f"GPUs for p95 ≤ {LONGEST_WAIT:g} s in the busiest hour", plan)
    if json is not None:
        write_json(json, report | {"plan": plan})


async def compared(model: str, runtime: str, seconds: float, together: int) -> list[Row]:
    """A row for each load. What the simulator is told is measured beside each, and again behind it: a machine may be
    busy with other things."""
    bodies, rows = requests(), []
    async with started(model, runtime, 10_000, together) as server, connected(server) as client:
        await alone(client, bodies)
        for number, load in enumerate(LOADS):
            times = await alone(client, bodies)
            full = await throughput(client, bodies, together, seconds / 2)
            station = Station.fitted(mean(times), full, together)
            rate = load * full
            arrived = await arriving(client, bodies, rate, seconds, seed=number)
            afterwards = await throughput(client, bodies, together, seconds / 4)
            work = [time / mean(times) for time in times]
            # The same seed draws the same requests at the same times: a minute of random ones is not the mean of hours.
            stay = simulate(station, rate, work, len(arrived.took), seed=number).figures()
            always = simulate(station, rate, work, SIMULATED_REQUESTS, seed=number).figures()
            measured = arrived.figures()
            rows.append(
                {
                    "load": load,
                    "rate": rate,
                    "alone_ms": 1000 * mean(times),
                    "full_per_second": full,
                    "full_afterwards": afterwards,
                    **milliseconds("wait", measured["mean_wait"], stay["mean_wait"]),
                    **milliseconds("mean", measured["mean_seconds"], stay["mean_seconds"]),
                    **milliseconds("p95", measured["p95_seconds"], stay["p95_seconds"]),
                    "mean_of_hours_ms": round(1000 * always["mean_seconds"], 1),
                }
            )
    return rows


def milliseconds(name: str, measured: float, simulated: float) -> Row:
    return {f"{name}_ms": round(1000 * measured, 1), f"{name}_simulated": round(1000 * simulated, 1)}


async def alone(client: httpx.AsyncClient, bodies: list[dict]) -> list[float]:
    """Seconds of each request, one by one."""
    return [await timed(client, body) for body in bodies]


async def throughput(client: httpx.AsyncClient, bodies: list[dict], together: int, seconds: float) -> float:
    """Requests a second while there are always as many as are worked on at a time."""
    until, answered = time.monotonic() + seconds, 0

    async def keep_asking(chance: random.Random) -> None:
        nonlocal answered
        while time.monotonic() < until:
            await timed(client, chance.choice(bodies))
            answered += 1

    began = time.monotonic()
    await asyncio.gather(*(keep_asking(random.Random(number)) for number in range(together)))
    return answered / (time.monotonic() - began)


async def arriving(client: httpx.AsyncClient, bodies: list[dict], rate: float, seconds: float, seed: int) -> Stay:
    """Requests that come at random times, whatever became of those before. Of their waits the server tells the mean."""
    chance, asked = random.Random(seed), list[asyncio.Task[float]]()
    before = await waits(client)
    began, due = time.monotonic(), 0.0
    while (due := due + chance.expovariate(rate)) < seconds:
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        asked.append(asyncio.create_task(timed(client, chance.choice(bodies), since=began + due)))
    took = list(await asyncio.gather(*asked))
    total, count = (now - then for now, then in zip(await waits(client), before, strict=True))
    return Stay([total / count], took)


async def waits(client: httpx.AsyncClient) -> tuple[float, float]:
    """Seconds that requests have waited for their turn, in all, and how many have had it."""
    lines = dict(line.rsplit(" ", 1) for line in (await client.get("/metrics")).text.splitlines() if line[0] != "#")
    return float(lines["quickfill_queue_seconds_sum"]), float(lines["quickfill_queue_seconds_count"])


async def timed(client: httpx.AsyncClient, body: dict, since: float | None = None) -> float:
    """Seconds of a request, from when it was due."""
    began = time.monotonic() if since is None else since
    answer = await client.post("/v1/completions", json=body)
    answer.raise_for_status()
    return time.monotonic() - began


def planned(demand: Demand, gpu: Gpu) -> Row:
    """The fewest GPUs with which requests are fast enough in the busiest hour, and two fifths more: for the loss of a
    machine, and for an uneven spread."""
    station = gpu.station(demand)
    most = busiest(station)
    needed = max(1, -int(-demand.rate // most))
    gpus = max(2, -int(-1.4 * needed // 1))
    day = demand.developers * demand.each
    return {
        "developers": demand.developers,
        "requests_a_day": float(day),
        "busiest_per_second": demand.rate,
        "context_tokens_a_day": float(day * demand.context),
        "computed_tokens_a_day": day * demand.context * (1 - demand.cached),
        "written_tokens_a_day": float(day * demand.written),
        "requests_per_gpu": most,
        "gpus": gpus,
        "dollars_a_month_each": gpus * gpu.dollars * 730 / demand.developers,
    }


def busiest(station: Station) -> float:
    """The most requests a second of which 95 of 100 are answered within `LONGEST_WAIT`, to a hundredth."""
    low, high = 0.0, station.capacity
    while high - low > 0.01 * station.capacity:
        middle = (low + high) / 2
        fast = simulate(station, middle, [1.0], 4000).figures()["p95_seconds"] <= LONGEST_WAIT
        low, high = (middle, high) if fast else (low, middle)
    return low


if __name__ == "__main__":
    typer.run(main)
