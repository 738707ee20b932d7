"""How Numba compiles a kernel: the stages that kernels need, and machine code of what Python calls alone.

Numba's own stages also lift loops and ``with`` blocks, inline closures, unroll literals and annotate types, and after
each the function is analysed anew. Every function that a kernel calls becomes machine code by itself, although it is
optimised once more within its caller. Leaving that out nearly halves a first run (``docs/scale.md``).
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import CodeType
from typing import Any

machinery: Any = import_module("numba.core.compiler_machinery")
compiler: Any = import_module("numba.core.compiler")
codegen: Any = import_module("numba.core.codegen")
dynfunc: Any = import_module("numba._dynfunc")
environment: Any = import_module("numba.core.environment")
targetconfig: Any = import_module("numba.core.targetconfig")
typed: Any = import_module("numba.core.typed_passes")
types: Any = import_module("numba.core.types")
untyped: Any = import_module("numba.core.untyped_passes")

_ENVIRONMENT = "_ZN08NumbaEnv"
"""How the names begin that Numba gives to the environments of functions."""


class Library(codegen.JITCodeLibrary):  # type: ignore[misc]
    """What a kernel is compiled to.

    Parameters
    ----------
    inner
        Whether it only ever becomes a part of its callers' machine code. It is tidied up then, and left to them.
    allocates
        Whether references are counted, which takes stages of its own to undo where it can be.
    """

    def __init__(self, generator: Any, name: str, *, inner: bool, allocates: bool) -> None:
        super().__init__(generator, name)
        self.inner, self.allocates = inner, allocates
        self.enable_object_caching()

    def _optimize_functions(self, module: Any) -> None:
        if self.allocates:
            super()._optimize_functions(module)
        else:  # the same comes first once all is linked
            module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        if self.inner:
            super()._optimize_functions(self._final_module)
        elif self.allocates:
            super()._optimize_final_module()
        else:
            passes, builder = self._codegen._module_pass_manager()
            passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        if not self.inner:
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


def no_way_in(description: Any, environment: Any, library: Library) -> Any:
    """What stands for an inner kernel in Python: calling it raises ``TypeError``."""
    address = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value  # of what cannot be called
    text = f"{description.qualname}, which kernels alone call"
    module, name = description.lookup_module(), description.qualname.rpartition(".")[2]
    return dynfunc.make_function(module, name, text, address, environment, (library,))


@machinery.register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(typed.NativeLowering):  # type: ignore[misc]
    """Numba's, into a :class:`Library`."""

    _name = "uara_lowering"

    def run_pass(self, state: Any) -> bool:
        """Compile a typed function."""
        flags, context = state.flags, state.targetctx
        generator, inner = context.codegen(), flags.no_cpython_wrapper
        library = Library(generator, state.func_id.func_qualname, inner=inner, allocates=flags.nrt)
        state.library, state.type_annotation = library, ""
        flags.no_compile = inner
        super().run_pass(state)
        if inner:
            library.finalize()
            entry = no_way_in(state.cr.fndesc, state.cr.env, library)
            state.cr = state.cr._replace(cfunc=entry)
            context.insert_user_function(entry, state.cr.fndesc, [library])
            state.reload_init.extend(library._reload_init)
        else:
            for each in library._final_module.global_variables:  # of inner kernels too, which now are in here
                found = (
                    environment.lookup_environment(each.name) if each.name.startswith(_ENVIRONMENT) else None
                )
                if found is not None:
                    generator.set_env(each.name, found)
        return True


class Stages(machinery.PassManager):  # type: ignore[misc]
    """Stages in their order, each of which analyses what it needs."""

    _ENFORCING = False


class Pipeline(compiler.CompilerBase):  # type: ignore[misc]
    """The stages of a kernel. One that holds a function of its own goes through all of Numba's."""

    def define_pipelines(self) -> list[Any]:
        """One list of stages."""
        state = self.state
        if any(isinstance(each, CodeType) for each in state.func_id.code.co_consts):
            return [compiler.DefaultPassBuilder.define_nopython_pipeline(state)]
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
            *([typed.NopythonRewrites] if state.flags.nrt else []),  # of array expressions
            typed.IRLegalization,
            Lowering,
            typed.NoPythonBackend,
        ):
            stages.add_pass(stage, stage._name)
        stages.finalize()
        return [stages]

    def _compile_core(self) -> Any:
        with _hurrying():
            return super()._compile_core()


@contextmanager
def _hurrying() -> Iterator[None]:
    """No collector while a kernel is compiled, since there is hardly any garbage, and what is asked often at once."""
    before = gc.isenabled(), types.Function.get_call_type, targetconfig.TargetConfig.values
    gc.disable()
    types.Function.get_call_type, targetconfig.TargetConfig.values = _remembered, _values_at_once
    try:
        yield
    finally:
        collects, types.Function.get_call_type, targetconfig.TargetConfig.values = before
        if collects:
            gc.enable()


def _values_at_once(flags: Any) -> dict[str, Any]:
    """What a compiler's flags are, as Numba gives it, without a call for each of them.

    It compares flags thousands of times for a kernel, which took a tenth of all compilation.
    """
    found = _defaults.get(type(flags))
    if found is None:
        found = _defaults[type(flags)] = {name: each.default for name, each in flags.options.items()}
    return {**found, **flags._values}


def _remembered(self: Any, context: Any, args: Any, kws: Any) -> Any:
    """The signature of a library function for some types, as Numba finds it: by trying all, each time anew."""
    if kws or not all(isinstance(each, _PLAIN) for each in args):
        return _asked(self, context, args, kws)
    found = _signatures.get((context, self, args))
    if found is None:
        signature = _asked(self, context, args, kws)
        found = _signatures[context, self, args] = signature, self._impl_keys[signature.args]
    self._impl_keys[found[0].args] = found[1]
    return found[0]


_PLAIN = (types.Number, types.Boolean, types.Array)
_defaults: dict[type, dict[str, Any]] = {}
_signatures: dict[Any, Any] = {}
_asked = types.Function.get_call_type
