"""The batched, pipelined system as a problem kind: where each thing that can be done with its instances stands."""

from __future__ import annotations

from uara.problem import FollowUp, Kind, deferred

HETEDGE = Kind(
    name="hetedge",
    load=deferred("uara.hetedge.instance:HetEdge.load"),
    evaluate=deferred("uara.hetedge.evaluation:evaluate"),
    parse_decision=deferred("uara.hetedge.plan:parse_decision"),
    default_solver="hetedge-bound",
    parse_certificate=deferred("uara.hetedge.request_prices:RequestPrices.from_plain"),
    lower_bound=deferred("uara.hetedge.request_prices:lower_bound"),
    describe=deferred("uara.hetedge.description:describe"),
    plot=deferred("uara.hetedge.gantt:draw"),
    schemas={"hetedge": deferred("uara.hetedge.schema:json_schema")},
    follow_ups={
        "p1": FollowUp(
            kind="hetedge",
            check=deferred("uara.hetedge.bridge:task_profile"),
            run=deferred("uara.hetedge.bridge:schedule"),
            table=deferred("uara.hetedge.bridge:table"),
        )
    },
    generate=deferred("uara.hetedge.generate:generate"),
    features=deferred("uara.hetedge.measures:features"),
    measures=deferred("uara.hetedge.measures:measures"),
    trials=deferred("uara.hetedge.trials:trials"),
    large=deferred("uara.hetedge.trials:large"),
)
