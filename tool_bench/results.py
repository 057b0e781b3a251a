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
    clusters: int = Field(
        description="sets of right tools among them, which are what is resampled; of an average, "
        "those of its smallest slice"
    )
    measures: dict[str, Estimate] = Field(description="means over queries")
    macro: dict[str, Estimate] = Field(
        description="means over relevant tools of the mean over each tool's queries; empty for an "
        "average of slices"
    )


class StoredFile(_Record):
    """A file that belongs to a result."""

    name: str = Field(pattern=r"^[^/\\\n]+$", description="file name, in the result's own folder")
    sha256: str


class ContextTokens(_Record):
    """Tokens of tool definitions: what an agent's context would carry for one request."""

    counter: str = Field(description="vocabulary, and the package and version that counted")
    top: dict[Literal["1", "5", "10"], float] = Field(
        description="of the first k tools that were ranked; mean over queries, one without a "
        "ranking counting 0"
    )
    candidates: float = Field(description="of all tools that may answer; mean over queries")


class ScopeScores(_Record):
    """What one scope gave."""

    run: StoredFile = Field(description="TREC run, gzipped, depth 10")
    per_query: StoredFile = Field(description="CSV of every measure for every query, gzipped")
    slices: dict[str, SliceScores] = Field(
        description="'all', one per kind, one per group, one per average"
    )
    short: int = Field(
        description="queries with fewer than ten tools although there were more candidates"
    )
    context: ContextTokens


class Quantile(_Record):
    """A quantile of the latency of single queries."""

    ms: float
    low: float = Field(description="lower end of the 95 % bootstrap interval, ms")
    high: float | None = Field(
        description="upper end, ms; null where so few queries have no upper bound"
    )


class Ratio(_Record):
    """One duration in units of another."""

    value: float
    low: float = Field(description="lower end of the 95 % bootstrap interval")
    high: float = Field(description="upper end of the 95 % bootstrap interval")


class Reference(_Record):
    """A fixed method on a fixed task, timed in the same process in turn with the method."""

    task: str
    baseline: str
    p50: Quantile
    ratio: Ratio = Field(description="the method's p50 / the reference's p50")


class Timing(_Record):
    """Seconds of each phase, on the hardware named in the provenance."""

    load_s: float = Field(description="making the retriever: libraries, weights, verification")
    index_s: float = Field(
        description="indexing the catalogue; vectors that were cached count with the seconds "
        "they took when they were computed on this machine"
    )
    index_encode_s: float | None = Field(
        description="of them inside encoders; null where nothing was encoded"
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
    latency_queries: int = Field(description="how many different queries were timed")
    latency_samples: int = Field(description="how often in all; each query equally often")
    encode: Quantile | None = Field(
        description="p50 of the part inside encoders; null where nothing was encoded and for a "
        "paid service"
    )
    search: Quantile | None = Field(description="p50 of the rest; null likewise")
    busy_cores: float | None = Field(
        description="cores' worth of work that other processes did meanwhile; null where the "
        "system does not tell"
    )
    reference: Reference | None = Field(
        description="null for a paid service, and where the reference's data is not at hand"
    )


class Footprint(_Record):
    """What the method takes up."""

    peak_memory_mib: float | None = Field(
        description="most main memory that its process held, data and libraries included, MiB; "
        "null where the system does not tell"
    )
    index_bytes: int | None = Field(
        description="the built index, pickled: without tool records, models, tokenizers and "
        "functions; null where it cannot be told"
    )
    model_bytes: int | None = Field(
        description="files of the models that were loaded: weights, tokenizer, configuration; null "
        "for a paid service and where it is not known"
    )


class TokenUse(_Record):
    """Tokens that a paid service charged for, by class of price."""

    fresh: float = Field(description="input that is neither written to nor read from its cache")
    cache_write: float
    cache_read: float
    output: float


class Cost(_Record):
    """What a method costs, at one price."""

    usd_per_1000: float = Field(
        description="of 1,000 queries: mean latency x the price of the instance, or measured "
        "tokens x their prices"
    )
    index_usd: float = Field(
        description="of indexing once: its seconds or its tokens, at the same price; what a paid "
        "service's client computes here is not in it"
    )
    basis: str = Field(description="the price it stands on, with its date")
    source: str = Field(description="where that price was read")
    model: str | None = Field(
        description="the hosted model, as pricing.toml names it; null for a local method"
    )
    tokens: TokenUse | None = Field(description="of one query, mean; null for a local method")
    index_tokens: TokenUse | None = Field(description="of indexing; null likewise")


class DataCard(_Record):
    """The data a result was made on."""

    revision: str = Field(description="upstream revision + version of our reading")
    sha256: str = Field(description="of the built dataset: everything an evaluation depends on")
    counts: dict[str, int] = Field(description="sizes and defects of the data")
    headline: str = Field(description="the slice or average that methods are ranked by")


class SeenTools(_Record):
    """How many of a task's tools a model was trained on, by name and description."""

    seen: int
    of: int

    @property
    def word(self) -> str:
        """``none``, ``some`` or ``all``."""
        if not self.seen:
            return "none"
        return "all" if self.seen == self.of else "some"

    @property
    def words(self) -> str:
        """The same for people: ``none of the tools here``, ``169 of the 199 tools here``."""
        if self.word == "some":
            return f"{self.seen:,} of the {self.of:,} tools here"
        return "none of the tools here" if self.word == "none" else f"all {self.of:,} tools here"


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
    seen_tools: SeenTools | None = Field(
        default=None,
        description="tools of the task that its training saw, counted; null for a method that was "
        "not trained here",
    )
    examples: int = Field(description="usage examples it was given at index time")
    whole_catalogue: bool = Field(
        description="whether it puts all candidates into a model's context to choose from"
    )


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
    scopes: dict[str, ScopeScores] = Field(min_length=1)
    timing: Timing | None = Field(description="null unless the evidence is 'measured'")
    footprint: Footprint | None = Field(description="null likewise")
    cost: Cost | None = Field(description="null where it is not known")
    provenance: Provenance
