"""A small history whose truth is known: ten accounts over half a year, one rule, one scorecard."""

from datetime import date, timedelta

from tests.api.cli.desk import Desk

END = date(2026, 6, 30)
CATALOG = """\
format: 1
north_star: weekly teams
metrics:
  active_users:
    {title: Weekly users, source: adoption, evidence: do, type: number, better: higher, stale_after: 14d,
     bears_on_value: Teams that log in renew.}
events:
  escalation: {}
roles: [champion]
stages: [adoption, churned]
"""
CARD = """\
format: 1
scorecard: health
desired_outcome: They renew.
dimensions:
  usage: {weight: 100%, metrics: {active_users: {linear: [0, 100]}}}
tiers:
  requires_attention: {from: 0, customer_wording: Let us look}
  take_notice: {from: 50, customer_wording: Good}
  doing_well: {from: 75, customer_wording: Well}
"""
PLAYBOOK = """\
format: 1
playbook: seat-activation
title: Get the seats used
category: education
steps:
  - task: {title: Ask who needs them, to: owner}
"""
RULE = """\
format: 1
rule: seats-unused
challenge:
  title: Seats are paid for and not used
  kind: risk
  why: Accounts under 40 % use renew at half the rate.
  owner: cs-ops
  success: {metric: active_users, at_least: 60, within: 45d}
actions:
  - {playbook: seat-activation, mode: automatic}
signals:
  few_users: {metric: active_users, threshold: {below: 40}}
"""
LARGE = RULE.replace("seats-unused", "large-only").replace(
    "  few_users:", '  large: {condition: {">=": [{var: account.arr}, 100]}}\n  few_users:'
)


SEATS = CATALOG.replace(
    "events:",
    """\
  seats_sold: {title: Seats, source: commercial, evidence: observe, type: number, better: neither, bears_on_value: Paid}
  license_utilization:
    {title: Licence use, source: adoption, evidence: do, type: share, better: higher, bears_on_value: Used,
     formula: {"/": [{var: active_users}, {var: seats_sold}]}}
events:""",
)
SMALL = {
    "rules/catalog.yaml": SEATS,
    "rules/scorecards/health.yaml": CARD,
    "playbooks/seat-activation.yaml": PLAYBOOK,
    "rules/adoption/seats-unused.yaml": RULE.partition("signals:")[0]
    + """\
guard: {cooldown: 60d, hold_out: {share: 10%}}
existing: enrol
signals:
  seats_unused: {metric: license_utilization, threshold: {below: 40%}, lasting: 7d, clears: {above: 45%}}
examples:
  - name: fires when 30 of 100 seats have been in use for more than a week
    given: {seats_sold: 100, active_users: {last 10d: 30}}
    then: fires
""",
}


def live_through(desk: Desk) -> Desk:
    """Ten accounts over half a year: `warned0` to `warned3` fall to 20 users 60 days before they churn, `sudden`
    churns at 80 users, `steady` ones stay at 80, and `quiet` has 20 users and stays."""
    written = {"catalog": CATALOG, "seats-unused": RULE, "scorecards/health": CARD}
    for name, text in (*((f"rules/{name}", text) for name, text in written.items()), ("playbooks/seats", PLAYBOOK)):
        (desk.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (desk.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    churned = {f"warned{number}": END - timedelta(days=20 + 5 * number) for number in range(4)}
    churned["sudden"] = END - timedelta(days=30)
    keys = [*churned, "quiet", *(f"steady{number}" for number in range(4))]
    accounts = ["key,name,arr,owner,stage,stage_since"]
    stages = {key: f"churned,{churned[key]}" if key in churned else "adoption,2025-01-01" for key in keys}
    accounts += [f"{key},{key},1000,ann@example.com,{stages[key]}" for key in keys]
    points = ["account,metric,day,value"]
    for age in range(180):
        day = END - timedelta(days=age)
        for key in keys:
            falls = key == "quiet" or (key.startswith("warned") and day >= churned[key] - timedelta(days=60))
            points.append(f"{key},active_users,{day},{20 if falls else 80}")
    for kind, rows in (("accounts", accounts), ("points", points)):
        done = desk.run("ingest", kind, desk.write(f"{kind}.csv", rows))
        assert done.exit_code == 0, done.output
    return desk
