"""Numbers, features, limits and conditions in words that can be read aloud; the same input gives the same text."""

import math
from datetime import date, timedelta
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.condition import All, AnyOf, Arithmetic, Compare, If, In, Literal, Missing, Not, Tree, Var
from engine.definitions.feature import Feature, ValueType, Window, feature_type
from engine.definitions.rule import Limit
from engine.evaluation.features import feature_named

BOUNDS: Final = {"below": "below", "at_most": "at most", "above": "above", "at_least": "at least"}

_OPERATORS: Final = {
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "==": "is",
    "===": "is",
    "!=": "is not",
    "!==": "is not",
}
_ACCOUNT: Final = {
    "account.arr": "the account's ARR",
    "account.renewal_in_days": "days to renewal",
}
_WINDOWS: Final = {
    Window.MEAN: "mean of {title} over {days} days",
    Window.SUM: "sum of {title} over {days} days",
    Window.CHANGE: "change of {title} over {days} days",
    Window.PREVIOUS: "mean of {title} over the {days} days before",
    Window.SLOPE: "slope of {title} over {days} days",
    Window.DAYS: "days with {title} in {days} days",
    Window.AGO: "{title} {days} days ago",
    Window.DAYS_SINCE: "days since the last value of {title}",
    Window.RANK: "rank of {title}",
}


def number(value: float, decimals: int = 2) -> str:
    """A number with at most ``decimals`` decimals and no trailing zeros: ``1,240`` or ``3.5``."""
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def share(value: float) -> str:
    """A share as people write it: ``31 %``."""
    return f"{number(value * 100)} %"


def points(micro: int) -> str:
    """Micro-points as points with one decimal, half to even: ``69.2`` for 69_250_000."""
    tenths, rest = divmod(abs(micro), 100_000)
    tenths += rest > 50_000 or (rest == 50_000 and tenths % 2 == 1)
    sign = "-" if micro < 0 and tenths else ""
    return f"{sign}{tenths // 10}.{tenths % 10}"


def day_text(day: int) -> str:
    """A day since 1970-01-01 as an ISO date."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def feature_title(catalog: Catalog, feature: Feature) -> str:
    """A feature as people call it: ``mean of Weekly active users over 30 days``."""
    title = catalog.metrics[feature.metric].title
    return _WINDOWS.get(feature.window, "{title}").format(title=title, days=feature.days)


def feature_value(catalog: Catalog, feature: Feature, value: float | None) -> str:
    """A feature's value with its unit: ``31 %``, ``12 users``, ``not known``."""
    if value is None or math.isnan(value):
        return "not known"
    metric = catalog.metrics[feature.metric]
    if feature.window is Window.DAYS_SINCE:
        return f"{number(value)} days"
    kind = feature_type(metric.type, feature.window)
    # "Escalations in 30 days is 2": a unit that the title says already is not said again.
    is_said = feature.window is Window.RANK or metric.unit.lower() in metric.title.lower()
    unit = "" if is_said else metric.unit
    return typed_value(kind or metric.type, value, unit)


def typed_value(kind: ValueType, value: float, unit: str = "") -> str:
    """A number of a static type in words."""
    match kind:
        case ValueType.SHARE:
            return share(value)
        case ValueType.DATE:
            return day_text(int(value))
        case ValueType.BOOLEAN:
            return "yes" if value else "no"
    return f"{number(value)} {unit}".strip()


def limit_text(catalog: Catalog, feature: Feature, limit: Limit) -> str:
    """A limit in words: ``below 40 %``."""
    return f"{BOUNDS[limit.bound]} {feature_value(catalog, feature, limit.value)}"


def name_text(catalog: Catalog, name: str) -> str:
    """A name of a condition as people call it: a metric by its title, ``account.stage`` as ``the account's stage``.

    What a person would have to look up in the files anyway, such as ``signal.low_use``, stays as it is written.
    """
    if name in _ACCOUNT:
        return _ACCOUNT[name]
    if name.startswith("account."):
        return f"the account's {name.removeprefix('account.').replace('_', ' ').replace('.', ' ')}"
    if name.startswith("in_segment."):
        return f"in the segment {name.removeprefix('in_segment.')}"
    feature = feature_named(catalog, name.removeprefix("contact."))
    return name if feature is None else feature_title(catalog, feature)


def comparison_text(catalog: Catalog, name: str, operator: str, limit: Literal) -> str:
    """The right side of a comparison of a name, with the name's unit: ``at least 30``; ``churned`` for equality."""
    feature = feature_named(catalog, name.removeprefix("contact."))
    if isinstance(limit.value, str) or feature is None:
        value = _value_text(catalog, limit)
    else:
        value = feature_value(catalog, feature, float(limit.value))
    return f"{_OPERATORS[operator].removeprefix('is').strip()} {value}".strip()


def condition_text(catalog: Catalog, tree: Tree) -> str:
    """A condition in words: ``account.renewal_in_days is at most 120 and Licence utilisation is at least 90 %``."""
    match tree:
        case All(operands):
            return " and ".join(_inner(catalog, operand, AnyOf) for operand in operands)
        case AnyOf(operands):
            return " or ".join(_inner(catalog, operand, All) for operand in operands)
        case Not(operand):
            return f"not ({condition_text(catalog, operand)})"
        case Compare(operator, left, right):
            return f"{condition_text(catalog, left)} {_OPERATORS[operator]} {condition_text(catalog, right)}"
        case In(operand, members):
            listed = ", ".join(condition_text(catalog, member) for member in members)
            return f"{condition_text(catalog, operand)} is one of {listed}"
        case Missing(names):
            return f"{' or '.join(name_text(catalog, name) for name in names)} is missing"
    return _value_text(catalog, tree)


def _value_text(catalog: Catalog, tree: Tree) -> str:
    match tree:
        case Literal(value, kind):
            return value if isinstance(value, str) else typed_value(kind, float(value))
        case Var(name):
            return f"{'it is ' if name.startswith('in_segment.') else ''}{name_text(catalog, name)}"
        case Arithmetic(operator, operands):
            parts = [condition_text(catalog, operand) for operand in operands]
            joined = (", " if operator in {"min", "max"} else f" {operator} ").join(parts)
            return f"{operator}({joined})" if operator in {"min", "max"} else f"({joined})"
        case If(condition, then, otherwise):
            words = [condition_text(catalog, part) for part in (condition, then, otherwise)]
            return f"({words[1]} if {words[0]}, else {words[2]})"
    return condition_text(catalog, tree)


def _inner(catalog: Catalog, tree: Tree, bracketed: type[All | AnyOf]) -> str:
    text = condition_text(catalog, tree)
    return f"({text})" if isinstance(tree, bracketed) else text
