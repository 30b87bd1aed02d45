"""HTML pages for members and customers. A page reads; nothing on a page computes."""

from fastapi import APIRouter

from api.pages import (
    account as account,
    approvals as approvals,
    effects as effects,
    handing_over as handing_over,
    holding as holding,
    inbox as inbox,
    me as me,
    metric as metric,
    noticing as noticing,
    portfolio as portfolio,
    run as run,
    shared_report as shared_report,
    sharing as sharing,
    signing_in as signing_in,
    starting as starting,
    stepping_in as stepping_in,
    unsubscribing as unsubscribing,
)


def routers() -> tuple[APIRouter, ...]:
    """Every page's routes, in the order in which they are matched."""
    members = (
        signing_in,
        inbox,
        approvals,
        portfolio,
        account,
        metric,
        sharing,
        starting,
        stepping_in,
        handing_over,
        run,
        effects,
        holding,
        me,
        noticing,
    )
    customers = (shared_report, unsubscribing)
    return tuple(module.router for module in (*members, *customers))
