"""How Numba compiles a kernel: the stages that kernels need, and no machine code that nobody calls.

Numba's own stages also lift loops and ``with`` blocks, inline closures, fold literals, annotate types and prune
reference counts, after each of which a function is analysed anew; and every function that a kernel calls becomes
machine code by itself, although it is optimised once more within its caller.
"""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import CodeType
from typing import Any

machinery: Any = import_module("numba.core.compiler_machinery")
compiler: Any = import_module("numba.core.compiler")
untyped: Any = import_module("numba.core.untyped_passes")
typed: Any = import_module("numba.core.typed_passes")
dynfunc: Any = import_module("numba._dynfunc")
codegen: Any = import_module("numba.core.codegen")
import os
X = set(os.environ.get("UARA_X", "").split(","))

class Library(codegen.JITCodeLibrary):  # type: ignore[misc]
    """Code of a kernel. That of an inner kernel stays in the compiler's own form until a caller's is made of it."""

    inner = False
    counts = True

    def _optimize_functions(self, module: Any) -> None:
        if "fn" in X:
            return super()._optimize_functions(module)
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        if self.inner and "io3" not in X:
            for function in self._final_module.functions:
                b = self._codegen._pass_builder(opt=1 if "io1" in X else 3, loop_vectorize=False, slp_vectorize=False)
                if not function.is_declaration or "decl" in X: b.getFunctionPassManager().run(function, b)
            return
        if "cheap" in X:
            return super()._optimize_final_module()
        kw = {}
        if "novec" in X: kw = dict(loop_vectorize=False, slp_vectorize=False)
        if "noslp" in X: kw = dict(slp_vectorize=False)
        if "o2" in X: kw["opt"] = 2
        passes, builder = self._codegen._module_pass_manager(**kw)
        passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        if not self.inner:
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def serialize_using_object_code(self) -> Any:
        return self.serialize_using_bitcode() if self.inner else super().serialize_using_object_code()


def no_way_in(description: Any, environment: Any, library: Any) -> Any:
    """What stands for an inner kernel in Python: a call of it raises ``TypeError``."""
    address = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value  # of what cannot be called
    name = description.qualname.split(".")[-1]
    text = f"{description.qualname}, for kernels alone"
    return dynfunc.make_function(description.lookup_module(), name, text, address, environment, (library,))


@machinery.register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(typed.NativeLowering):  # type: ignore[misc]
    """Numba's, into a :class:`Library`."""

    _name = "uara_lowering"

    def run_pass(self, state: Any) -> bool:
        state.type_annotation = ""
        flags, context = state.flags, state.targetctx
        state.library = library = Library(context.codegen(), state.func_id.func_qualname)
        library.enable_object_caching()
        library.inner, library.counts = flags.no_cpython_wrapper, flags.nrt
        if not library.inner:
            return super().run_pass(state)
        flags.no_compile = True
        super().run_pass(state)
        library.finalize()
        entry = no_way_in(state.cr.fndesc, state.cr.env, library)
        state.cr = state.cr._replace(cfunc=entry)
        context.insert_user_function(entry, state.cr.fndesc, [library])
        state.reload_init.extend(library._reload_init)
        return True


class Stages(machinery.PassManager):  # type: ignore[misc]
    """Numba analyses a function anew after each stage; those below do it where they need it."""

    _ENFORCING = "enf" in X


@contextmanager
def without_collector() -> Iterator[None]:
    """Compiling makes many objects and hardly any garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Pipeline(compiler.CompilerBase):  # type: ignore[misc]
    """The stages of a kernel."""

    def define_pipelines(self) -> list[Any]:
        if any(isinstance(each, CodeType) for each in self.state.func_id.code.co_consts) or "full" in X:
            return [compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)]
        stages = Stages("kernel")
        for stage in (
            untyped.TranslateByteCode,
            untyped.FixupArgs,
            untyped.IRProcessing,
            untyped.GenericRewrites,
            untyped.InlineInlinables,
            untyped.ReconstructSSA,
            typed.NopythonTypeInference,
            typed.PreLowerStripPhis,
            *([typed.NopythonRewrites] if self.state.flags.nrt or "rewr" in X else []),
            typed.IRLegalization,
            Lowering,
            typed.NoPythonBackend,
        ):
            stages.add_pass(stage, stage._name)
        stages.finalize()
        return [stages]

    def _compile_core(self) -> Any:
        with without_collector():
            return super()._compile_core()

if "nomemo" not in X:
    types: Any = import_module("numba.core.types")
    _PLAIN = (types.Number, types.Boolean, types.Array)
    _asked = types.Function.get_call_type
    _known: Any = {}
    def _call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws or not all(isinstance(a, _PLAIN) for a in args):
            return _asked(self, context, args, kws)
        key = (context, self, args)
        found = _known.get(key)
        if found is None:
            found = _known[key] = _asked(self, context, args, kws)
        return found
    types.Function.get_call_type = _call_type
