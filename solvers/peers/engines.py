"""MILP solvers that pip brings, all behind one call: read an MPS file, stop at a gap or a time, say what was found.

Each runs with one thread and otherwise with its own defaults. Licences that come inside the packages of Gurobi,
CPLEX, COPT and Xpress limit the size of a program; what they refuse is an error of theirs.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from uara.base.extras import needs
from uara.base.quantities import Floats


class Found(NamedTuple):
    """What a solver says of a program; neither is checked."""

    bound: float
    """Its lower bound on the optimum; minus infinity where it has none."""
    values: Mapping[str, float] | None
    """Value of each column by name, if it has a point."""

    def column(self, size: int) -> Floats | None:
        """(size,) The point, of columns that are called c0, c1, ...; None where there is none."""
        if self.values is None:
            return None
        return np.array([self.values.get(f"c{k}", 0.0) for k in range(size)])


Engine = Callable[[Path, float, float], Found]
"""An MPS file, seconds, relative gap."""


def highs(path: Path, seconds: float, gap: float) -> Found:
    """HiGHS, by highspy."""
    solver = needs("highspy", extra="peers").Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("time_limit", seconds)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.readModel(str(path))
    solver.run()
    info, names = solver.getInfo(), solver.getLp().col_names_
    has_point = info.primal_solution_status == 2
    values = dict(zip(names, solver.getSolution().col_value, strict=True)) if has_point else None
    return Found(info.mip_dual_bound, values)


def scip(path: Path, seconds: float, gap: float) -> Found:
    """SCIP, by PySCIPOpt."""
    model = needs("pyscipopt", extra="peers").Model()
    model.hideOutput()
    model.setParam("timing/clocktype", 2)  # wall time, as all limits here
    model.setParam("limits/time", seconds)
    model.setParam("limits/gap", gap)
    model.readProblem(str(path))
    model.optimize()
    best = model.getBestSol() if model.getNSols() else None
    values = {each.name: model.getSolVal(best, each) for each in model.getVars()} if best else None
    return Found(model.getDualbound(), values)


def cbc(path: Path, seconds: float, gap: float) -> Found:
    """CBC, by Python-MIP; a bound that it states without any point is none."""
    model = needs("mip", extra="peers").Model(solver_name="CBC")
    model.verbose, model.threads, model.max_mip_gap = 0, 1, gap
    model.read(str(path))
    model.optimize(max_seconds=seconds)
    if not model.num_solutions:
        return Found(-np.inf, None)
    return Found(model.objective_bound, {each.name: each.x for each in model.vars})


def cp_sat(path: Path, seconds: float, gap: float) -> Found:
    """CP-SAT, by OR-Tools; with one worker, as the others have one thread.

    It takes continuous columns in steps, and its bound is one on such points: none on ours.
    """
    builder = needs("ortools.linear_solver.python.model_builder", extra="peers")
    model, solver = builder.Model(), builder.Solver("sat")
    model.import_from_mps_file(str(path))
    solver.set_time_limit_in_seconds(seconds)
    solver.set_solver_specific_parameters(f"num_workers:1,relative_gap_limit:{gap}")
    status = solver.solve(model)
    if status not in (builder.SolveStatus.OPTIMAL, builder.SolveStatus.FEASIBLE):
        return Found(-np.inf, None)
    return Found(-np.inf, {each.name: solver.value(each) for each in model.get_variables()})


def gurobi(path: Path, seconds: float, gap: float) -> Found:
    """Gurobi; the licence in its package takes 2,000 columns and 2,000 rows."""
    gurobipy = needs("gurobipy", extra="peers")
    with gurobipy.Env(params={"OutputFlag": 0}) as env, gurobipy.read(str(path), env) as model:
        model.Params.Threads, model.Params.TimeLimit, model.Params.MIPGap = 1, seconds, gap
        model.optimize()
        values = {each.VarName: each.X for each in model.getVars()} if model.SolCount else None
        return Found(model.ObjBound, values)


def cplex(path: Path, seconds: float, gap: float) -> Found:
    """CPLEX; the community edition takes 1,000 columns and 1,000 rows."""
    with needs("cplex", extra="peers").Cplex() as model:
        for stream in ("log", "results", "warning", "error"):
            getattr(model, f"set_{stream}_stream")(None)
        model.parameters.threads.set(1)
        model.parameters.timelimit.set(seconds)
        model.parameters.mip.tolerances.mipgap.set(gap)
        model.read(str(path))
        model.solve()
        solution = model.solution
        has_point = solution.is_primal_feasible()
        names = model.variables.get_names()
        values = dict(zip(names, solution.get_values(), strict=True)) if has_point else None
        return Found(solution.MIP.get_best_objective(), values)


def copt(path: Path, seconds: float, gap: float) -> Found:
    """COPT; without a licence it takes 2,000 columns and 2,000 rows."""
    with contextlib.redirect_stdout(io.StringIO()):
        model = needs("coptpy", extra="peers").Envr().createModel()
    model.setParam("Logging", 0)
    model.setParam("Threads", 1)
    model.setParam("TimeLimit", seconds)
    model.setParam("RelGap", gap)
    model.read(str(path))
    model.solve()
    values = {each.name: each.x for each in model.getVars()} if model.hasmipsol else None
    return Found(model.bestbnd, values)


def xpress(path: Path, seconds: float, gap: float) -> Found:
    """Xpress; the community licence takes 5,000 rows and columns together."""
    package = needs("xpress", extra="peers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which licence it is: see above
        package.init()
        problem = package.problem()
    problem.setOutputEnabled(False)
    problem.controls.threads, problem.controls.timelimit, problem.controls.miprelstop = 1, seconds, gap
    problem.readProb(str(path))
    problem.optimize()
    values = None
    if problem.attributes.mipsols:
        names = [each.name for each in problem.getVariable()]
        values = dict(zip(names, problem.getSolution(), strict=True))
    return Found(problem.attributes.bestbound, values)


class Peer(NamedTuple):
    """A solver, and the module that must be there."""

    solve: Engine
    module: str


PEERS = {
    "highs": Peer(highs, "highspy"),
    "scip": Peer(scip, "pyscipopt"),
    "cbc": Peer(cbc, "mip"),
    "cp-sat": Peer(cp_sat, "ortools"),
    "gurobi": Peer(gurobi, "gurobipy"),
    "cplex": Peer(cplex, "cplex"),
    "copt": Peer(copt, "coptpy"),
    "xpress": Peer(xpress, "xpress"),
}
