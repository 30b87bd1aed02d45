"""What is known of a portfolio at a moment, as the store hands it to the domain. Shapes only.

Days are days since 1970-01-01 (int). ``at`` is the day of the evaluation; nothing after its end is in here.
Rows count accounts 0…N-1 (contacts 0…C-1) in the order of ``ids``, which is ascending.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.columns import Bytes, Column, Floats, Ints

Counts: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The points of one metric: one per subject and day, sorted by row, then day. All arrays have length M.

    Points after the day of an evaluation may be in here; they are not looked at. So one series serves many days.
    ``derived`` holds search keys and running sums; only `engine.evaluation.windows` fills and reads it.
    """

    rows: Ints
    days: Ints
    values: Floats
    derived: dict[str, Ints] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The points of one metric day by day: ``values`` float64[D, N], NaN where there is none; row d is ``first`` + d.

    ``last_days`` and ``last_values`` float64[N]: each subject's last point before ``first``, NaN where there is none
    or nobody needs it. It says the same as a `Series` of the same points, and `engine.evaluation.windows` computes the
    same from both, bit for bit. Only that fills and reads ``sums`` and ``counts``.
    """

    first: int
    values: NDArray[np.float64]
    last_days: Floats
    last_values: Floats
    sums: dict[str, Ints] = field(default_factory=dict, repr=False)
    counts: dict[str, Counts] = field(default_factory=dict, repr=False)


Points: TypeAlias = Series | Grid


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """Accounts: ``ids`` int64[N] ascending, ``keys`` the N external keys."""

    ids: Ints
    keys: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """Contacts of all accounts: ``account_rows`` int64[C] points into `Facts.accounts`.

    ``fields``: ``seniority``, ``department`` (texts) and ``joined_on`` (a day), where they are known.
    """

    ids: Ints
    keys: tuple[str, ...]
    account_rows: Ints
    roles: tuple[frozenset[str], ...]
    departed: NDArray[np.bool_]
    fields: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """What accounts use, one row per account and product: ``names`` of the products, ``account_rows`` int64[P]."""

    ids: Ints
    names: tuple[str, ...]
    account_rows: Ints


NO_PRODUCTS: Final = Products(np.zeros(0, dtype=np.int64), (), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """What relative measures compare with: (feature name, cohorts) → cohort → its known values, ascending.

    Cohorts are ``all`` (one cohort, called ``""``), ``segment`` or ``stage``. A cycle over a part of the accounts
    compares with the values of the last cycle over all of them, which was of ``day`` (None: of the evaluation's own).
    """

    values: Mapping[tuple[str, str], Mapping[str, Floats]]
    day: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Happenings:
    """Events of one kind, sorted by account row, then day (length K).

    ``contact_rows`` is -1 where no contact is named. ``fields`` holds the event's declared fields as columns of
    length K. ``ids`` are the source records. Events after the day of an evaluation are not looked at. ``times`` are
    seconds since 1970-01-01 UTC; None where only days are known.
    """

    ids: Ints
    rows: Ints
    contact_rows: Ints
    days: Ints
    fields: Mapping[str, Column]
    times: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Agreed:
    """One goal as agreed with each account: float64[N] each, NaN where nothing was agreed. Days as numbers."""

    target: Floats
    start_value: Floats
    start_day: Floats
    end_day: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What the last evaluation before ``at`` said; empty mappings on the first.

    ``firing``: verdicts int8[N] by ``<rule>.<signal>``; where the last verdict was unknown, the last known one.
    ``verdicts`` int8[N] and ``since`` int64[N]: the last verdict, known or not, and since which day it is (-1: never
    observed). ``history`` int64[N]: the last known verdicts, one per day that was evaluated, as
    `engine.evaluation.remembering` keeps them.
    ``tiers``: the last tier there was per scorecard, int8[N] as index into `engine.evaluation.tiers.TIERS`, -1 none;
    ``pending`` int8[N]: for how many evaluations in a row the raw tier has lain above it (negative: below it). Of
    scorecards of contacts and products N counts those.
    ``scores``: micro-points per scorecard float64[N], NaN none. ``scores_week_ago``: the same seven days earlier, and
    ``contributions_week_ago`` what each metric added to it: scorecard → metric → micro-points float64[N], NaN none.
    ``causes``: the metric behind the last drop, as a text column. `engine.evaluation.remembering` makes the next one.
    """

    firing: Mapping[str, Bytes] = field(default_factory=dict)
    verdicts: Mapping[str, Bytes] = field(default_factory=dict)
    since: Mapping[str, Ints] = field(default_factory=dict)
    history: Mapping[str, Ints] = field(default_factory=dict)
    tiers: Mapping[str, Bytes] = field(default_factory=dict)
    pending: Mapping[str, Bytes] = field(default_factory=dict)
    scores: Mapping[str, Floats] = field(default_factory=dict)
    scores_week_ago: Mapping[str, Floats] = field(default_factory=dict)
    causes: Mapping[str, Column] = field(default_factory=dict)
    contributions_week_ago: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScoreOverride:
    """A person's change to one account's score (micro-points) or tier, in force at ``at``."""

    account_row: int
    scorecard: str
    reason: str
    author: str
    expires: str
    micro: int | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class MetricOverride:
    """A person's word on what one account's metric is (``name``: it or a feature of it, as files write it), in force at
    ``at``. The points stay as they are."""

    account_row: int
    name: str
    value: float
    reason: str
    author: str
    expires: str


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Everything an evaluation reads.

    ``fields``: account columns by bare name (``arr``, ``segment`` is not here: it is computed from the catalog).
    ``series``: points of account metrics by metric name; of a metric from events, one point per day with its count.
    ``contact_series`` and ``product_series``: the same per contact and per product row.
    A metric without any point may be absent from all of them. A text metric's values are indices into ``words``.
    ``peers``: None where the accounts at hand are all there are, and so compared with each other.
    ``newest_events``: the last day up to ``at`` on which anybody at all had an event of a kind; the source of a kind
    that is missing is not connected, and one that is silent too long is down (see `engine.evaluation.seen`).
    None: nothing is known of sources, and all of them count as alive.
    """

    at: int
    accounts: Subjects
    fields: Mapping[str, Column]
    series: Mapping[str, Points]
    contacts: Contacts
    contact_series: Mapping[str, Points] = field(default_factory=dict)
    events: Mapping[str, Happenings] = field(default_factory=dict)
    goals: Mapping[str, Agreed] = field(default_factory=dict)
    before: Before = field(default_factory=Before)
    overrides: tuple[ScoreOverride, ...] = ()
    products: Products = NO_PRODUCTS
    product_series: Mapping[str, Points] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    peers: Peers | None = None
    newest_events: Mapping[str, int] | None = None
    metric_overrides: tuple[MetricOverride, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a bundle makes the store load: how far back (days), of which metrics and events.

    ``latest`` metrics are never stale: their last point counts however old it is. ``spans`` says how far back each
    metric and event is read; no more than that has to be loaded of it (``days`` is the largest of them).
    """

    days: int
    metrics: frozenset[str]
    latest: frozenset[str]
    contact_metrics: frozenset[str]
    events: frozenset[str]
    goals: frozenset[str]
    spans: Mapping[str, int] = field(default_factory=dict)
    product_metrics: frozenset[str] = frozenset()
