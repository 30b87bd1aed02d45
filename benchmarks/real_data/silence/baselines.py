"""What others would do: the last activity alone, RFM ranks, RFM in a logistic regression, BG/NBD, boosted trees.

Every baseline is a number per account that is higher the likelier it goes silent. Those that learn do so on the
training cutoffs only.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data.silence.tasks import Activity, Asked, Past
from engine.effect.logistic import fit_logistic
from engine.evaluation.columns import Flags, Floats

Risks: TypeAlias = list[Floats]
Learn: TypeAlias = Callable[[Activity, Sequence[Asked], Sequence[Asked]], Risks]
HALF_YEAR: Final = 182
SPANS: Final = (28, 91, 182, 364)


def baselines(activity: Activity, train: Sequence[Asked], every: Sequence[Asked]) -> Mapping[str, Risks]:
    """Risks at ``every`` cutoff by the baseline's name; those that need SciPy or scikit-learn only where they are."""
    found: dict[str, Risks] = {
        "recency": [_past(activity, each).days_since()[each.rows] for each in every],
        "RFM rank": [_rfm_rank(activity, each) for each in every],
        "RFM logistic": _logistic(activity, train, every),
    }
    learners: Mapping[str, Learn] = {"BG/NBD": _bg_nbd, "boosting": _boosting}
    for name, learn in learners.items():
        try:
            found[name] = learn(activity, train, every)
        except ModuleNotFoundError as error:
            print(f"{name} is left out: {error.name} is not installed (requirements/benchmarks.txt)")
    return found


def _past(activity: Activity, each: Asked) -> Past:
    return Past(activity, each.day)


def _rfm_rank(activity: Activity, each: Asked) -> Floats:
    """Rank of recency minus ranks of frequency and amount in the last half year, among those asked about."""
    past = _past(activity, each)
    recency, often, much = past.days_since(), past.active_days(HALF_YEAR), past.amount(0, HALF_YEAR)
    return _ranked(recency[each.rows]) - _ranked(often[each.rows]) - _ranked(much[each.rows])


def _ranked(values: Floats) -> Floats:
    """Mid-ranks as shares of 1."""
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((low + high + 1) / 2 / len(values))


def _logistic(activity: Activity, train: Sequence[Asked], every: Sequence[Asked]) -> Risks:
    fitted = fit_logistic(np.concatenate([_rfm(activity, each) for each in train]), _answers(train))
    return [fitted.chances(_rfm(activity, each)) for each in every]


def _rfm(activity: Activity, each: Asked) -> NDArray[np.float64]:
    past = _past(activity, each)
    columns = (past.days_since(), past.active_days(), past.amount())
    return np.log1p(np.stack([column[each.rows] for column in columns], axis=1))


def _answers(asked: Sequence[Asked]) -> Flags:
    return np.concatenate([each.silent for each in asked])


def _boosting(activity: Activity, train: Sequence[Asked], every: Sequence[Asked]) -> Risks:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=8, l2_regularization=1.0, random_state=0
    )
    model.fit(np.concatenate([_everything(activity, each) for each in train]), _answers(train))
    return [model.predict_proba(_everything(activity, each))[:, 1] for each in every]


def _everything(activity: Activity, each: Asked) -> NDArray[np.float64]:
    past = _past(activity, each)
    ever, often = past.active_days(), [past.active_days(span) for span in SPANS]
    much = [past.amount(column, span) for column in range(activity.amounts.shape[1]) for span in (*SPANS, None)]
    gap = (past.age() - past.days_since()) / np.maximum(ever - 1, 1)
    return np.stack([column[each.rows] for column in (past.days_since(), past.age(), ever, gap, *often, *much)], axis=1)


def _bg_nbd(activity: Activity, train: Sequence[Asked], every: Sequence[Asked]) -> Risks:
    """Fader, Hardie, Lee 2005: the chance of no purchase in the next 91 days, by the expected number of them."""
    from scipy.optimize import minimize

    last = train[-1]
    known = _repeats(activity, last)

    def loss(logs: Floats) -> float:
        return -float(_log_likelihood(np.exp(logs), *known).mean()) + 1e-3 * float((logs**2).sum())

    parameters = np.exp(minimize(loss, np.zeros(4), method="Nelder-Mead", options={"maxiter": 2_000}).x)
    return [-_expected(parameters, *_repeats(activity, each)) for each in every]


def _repeats(activity: Activity, each: Asked) -> tuple[Floats, Floats, Floats]:
    """Repeat purchases, time of the last one and of the cutoff since the first, in weeks."""
    past = _past(activity, each)
    often, age, since = (column[each.rows] for column in (past.active_days(), past.age(), past.days_since()))
    return often - 1, (age - since) / 7, np.maximum(age, 1) / 7


def _log_likelihood(parameters: Floats, x: Floats, last: Floats, whole: Floats) -> Floats:
    from scipy.special import gammaln

    r, alpha, a, b = parameters
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x) - (r + x) * np.log(alpha + whole)
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1)
    gone += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x) - (r + x) * np.log(alpha + last)
    return np.asarray(common + np.where(x > 0, np.logaddexp(alive, gone), alive))


def _expected(parameters: Floats, x: Floats, last: Floats, whole: Floats, ahead: float = 13.0) -> Floats:
    """Expected purchases in the next ``ahead`` weeks (their equation 10)."""
    from scipy.special import hyp2f1

    r, alpha, a, b = parameters
    still = 1 + np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + whole) / (alpha + last)) ** (r + x), 0)
    series = hyp2f1(r + x, b + x, a + b + x - 1, ahead / (alpha + whole + ahead))
    growth = (a + b + x - 1) / (a - 1) * (1 - ((alpha + whole) / (alpha + whole + ahead)) ** (r + x) * series)
    return np.asarray(growth / still)
