"""The result record: one method on one task, with everything needed to trust and repeat it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Literal[2] = 2

Evidence = Literal["measured", "scored"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Record):
    """A mean with its uncertainty."""

    value: float
    low: float | None = Field(
        description="lower end of the 95 % bootstrap interval; null where there is one cluster"
    )
    high: float | None = Field(
        description="upper end of the 95 % bootstrap interval; null likewise"
    )


class SliceScores(_Record):
    """The scores of one slice of a scope's queries."""

    queries: int = Field(description="how many queries, the denominator of every mean")
    measures: dict[str, Estimate] = Field(description="means over queries")
    macro: dict[str, Estimate] = Field(
        description="means over relevant tools of the mean over each tool's queries; empty for an "
        "average of slices"
    )


class StoredFile(_Record):
    """A file that belongs to a result."""

    name: str = Field(description="file name, in the result's own folder")
    sha256: str


class ScopeScores(_Record):
    """What one scope gave."""

    run: StoredFile = Field(description="TREC run, gzipped, depth 10")
    per_query: StoredFile = Field(description="CSV of every measure for every query, gzipped")
    slices: dict[str, SliceScores] = Field(
        description="'all', one per kind, one per group, one per average"
    )


class Quantile(_Record):
    """A quantile of the latency of single queries."""

    ms: float
    low: float = Field(description="lower end of the 95 % bootstrap interval, ms")
    high: float = Field(description="upper end of the 95 % bootstrap interval, ms")


class Timing(_Record):
    """Seconds of each phase, on the hardware named in the provenance."""

    load_s: float = Field(description="making the retriever: libraries, weights, verification")
    index_s: float = Field(
        description="indexing the catalogue; vectors that were cached count with the seconds "
        "they took when they were computed on this machine"
    )
    queries_per_s: float | None = Field(
        description="throughput of scope 'global', 100 queries at a time, ranking included; null "
        "for a paid service"
    )
    latency: dict[Literal["p50", "p95", "p99"], Quantile] = Field(
        description="one query at a time, warm, whole catalogue: encode, search, top 10; of a "
        "paid service what each request took when it was sent, several under way at once"
    )
    latency_mean_ms: float
    latency_samples: int


class Cost(_Record):
    """What 1,000 queries cost."""

    usd_per_1000: float = Field(
        description="mean latency x the price of the instance, or measured tokens x their prices"
    )
    basis: str = Field(description="the price it stands on, with its date")
    input_tokens: float | None = Field(
        default=None, description="read by a paid service for one query, cached ones included"
    )
    output_tokens: float | None = Field(
        default=None, description="written by a paid service for one query"
    )


class DataCard(_Record):
    """The data a result was made on."""

    revision: str = Field(description="upstream revision + version of our reading")
    sha256: str = Field(description="of the built dataset: everything an evaluation depends on")
    counts: dict[str, int] = Field(description="sizes and defects of the data")
    headline: str = Field(description="the slice or average that methods are ranked by")


class MethodCard(_Record):
    """What the method is, as it declared itself when it ran."""

    kind: str
    description: str
    reference: str
    license: str
    parameters: int | None = Field(description="trained parameters; null where unknown")
    revision: str | None
    style: str | None = Field(description="how tools became text")
    settings: dict[str, str | int | float | bool]
    deviations: list[str]
    trained_on: list[str]
    examples: int = Field(description="usage examples it was given at index time")


class Hardware(_Record):
    """The machine."""

    cpu: str
    cores: int = Field(description="cores this process may use")
    memory_gib: float
    accelerator: str | None


class Provenance(_Record):
    """How to make the result again."""

    command: str
    date: str = Field(description="UTC day of the run")
    code_revision: str | None = Field(description="git commit, null outside a checkout")
    dirty: bool | None = Field(description="whether the checkout differed from the commit")
    python: str
    platform: str
    packages: dict[str, str]
    hardware: Hardware
    threads: int | None = Field(description="threads torch used; null where torch was not loaded")
    precision: str | None
    seeds: dict[str, int]


class Result(_Record):
    """One method on one task."""

    schema_version: Literal[2] = SCHEMA_VERSION
    task: str
    baseline: str
    evidence: Evidence
    key: dict[str, str] = Field(description="hashes that decide whether the result is current")
    data: DataCard
    method: MethodCard
    scopes: dict[str, ScopeScores]
    timing: Timing | None = Field(description="null unless the evidence is 'measured'")
    cost: Cost | None = Field(description="null where it is not known")
    provenance: Provenance
