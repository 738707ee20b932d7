"""P1 as a problem kind: where each thing that can be done with its instances stands."""

from __future__ import annotations

from uara.problem import Kind, deferred

P1 = Kind(
    name="p1",
    load=deferred("uara.p1.model:load"),
    evaluate=deferred("uara.p1.model:evaluate"),
    parse_decision=deferred("uara.p1.decision:parse_decision"),
    default_solver="auto",
    parse_certificate=deferred("uara.p1.proof:parse_certificate"),
    lower_bound=deferred("uara.p1.proof:lower_bound"),
    score_again=deferred("uara.p1.certificate:score_again"),
    check_files=deferred("uara.p1.proof:check_files"),
    check_start=deferred("uara.p1.decision:check_start"),
    describe=deferred("uara.p1.description:describe"),
    plot=deferred("uara.p1.description:draw_map"),
    tables=deferred("uara.p1.answers:tables"),
    file_columns=deferred("uara.p1.answers:file_columns"),
    explain=deferred("uara.p1.explain:explain"),
    best_known=deferred("uara.scenarios.best_known:lookup"),
    schemas={
        "instance": deferred("uara.p1.schema:json_schema"),
        "trace": deferred("uara.scenarios.trace:json_schema"),
    },
    other_files={"p1-trace": "this is a trace of moving devices: use 'uara simulate'"},
    warm_up=deferred("uara.p1.smallest:load_kernels"),
    generate=deferred("uara.scenarios.recipe:generate"),
    subset=deferred("uara.p1.subset:subset"),
    features=deferred("uara.p1.measures:features"),
    measures=deferred("uara.p1.measures:measures"),
    pictures=deferred("uara.p1.description:answer_pictures"),
    trials=deferred("uara.scenarios.trials:trials"),
    optimum=deferred("uara.scenarios.trials:optimum"),
    large=deferred("uara.scenarios.trials:large"),
)
