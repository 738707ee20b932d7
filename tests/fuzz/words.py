"""The words of a command line."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz import damage
from fuzz.instances import p1
from fuzz.suites import SUITE

from uara.cli import main

WORDS = (
    ["solve", "{case}", "--solver", "tma:moves=pairs,allocation=sqrt", "--option", "moves=none"],
    ["solve", "{case}", "--solver", "max-sinr:allocation=uniform", "--then", "hetedge-rules:batching=none"],
    ["solve", "{case}", "--solver", "random", "--seed", "1", "--time-limit", "1"],
    ["solve", "{case}", "--solver", "masac", "--option", "policy=", "--start", "{case}"],
    ["simulate", "{case}", "--solver", "max-sinr:allocation=uniform", "--slots", "1", "--profile", "gpt2_gpt2-xl"],
    ["show", "{case}", "--solver", "max-sinr:allocation=uniform"],
    ["verify", "{case}", "{case}", "--gap", "0.1"],
    ["evaluate", "{case}", "{case}"],
    ["export", "{case}", "--to", "mps", "--program", "milp", "--output", "out.mps"],
    ["schema", "instance"],
    ["check-solver", "nobody"],
    ["generate", "-o", "made.json", "--servers", "2", "--devices", "4", "--channel", "path-loss", "--seed", "1",
     "--profile", "gpt2_gpt2-xl", "--payload", "tokens", "--battery", "low", "--server-mix", "mixed", "--box-m", "400",
     "--bandwidth-mhz", "10", "--energy-weight", "50", "--name", "n"],
    ["hetedge", "generate", "-o", "made.json", "--requests", "5", "--channel", "path-loss", "--seed", "1",
     "--acceptance", "0.5", "--bandwidth-mhz", "1", "--largest-batch", "4", "--draft-node", "rtx-3080",
     "--draft-model", "tinyllama-1.1b", "--target-node", "rtx-4500-ada", "--box-m", "400"],
    ["bench", "suite.toml", "--plan", "--only-solver", "*", "--only-instance", "tiny*", "--retry", "error",
     "--backend", "joblib"],
    ["bench", "report", "nothing.parquet"],
    ["best-known", ".", "--check"],
    ["train", "train.toml", "--device", "cpu", "--output", "run", "--resume"],
    ["psd", "compare", "--profile", "smollm2_int4", "--ratio", "2"],
)  # fmt: skip


def make_words(folder: Path) -> Callable[[Random], None]:
    p1().save(folder / "case.json")
    (folder / "suite.toml").write_text(damage.as_toml(SUITE))
    (folder / "train.toml").write_text("seed = 1\n")
    (folder / "words.txt").write_text(json.dumps(WORDS[0]))

    def put(rng: Random) -> None:
        words = list(rng.choice(WORDS))
        for _ in range(rng.choice((1, 1, 2))):
            places = [
                place for place in range(1, len(words)) if words[place] not in ("-o", "made.json", "out.mps")
            ]
            place = rng.choice(places)
            words[place] = _damaged_word(rng, words[place])
        (folder / "words.txt").write_text(json.dumps(words))

    return put


def _damaged_word(rng: Random, word: str) -> str:
    odd = rng.choice(
        (*damage.TEXTS, "0", "1e400", "-1", "1" * 5000, "1_0", "0x1", "inf", "nan", "1e308", "9" * 30)
    )
    if ":" in word and "=" in word and rng.randrange(2):
        name, _, tail = word.partition(":")
        key, _, value = tail.partition("=")
        return rng.choice((f"{name}:{key}={odd}", f"{name}:{odd}={value}", f"{odd}:{tail}", f"{name}:{odd}"))
    return rng.choice((odd, word + odd, odd + word, word[:-1], word.upper()))


def run_words(folder: Path) -> None:
    """The command line in this process: one line and a code, or an answer; ``SystemExit`` is its only way out."""
    words = [
        word.replace("{case}", str(folder / "case.json"))
        for word in json.loads((folder / "words.txt").read_text())
    ]
    if words[0] in ("simulate",) and len(words) > 5 and words[5].isdigit() and len(words[5]) > 2:
        return  # a run of many slots is no fault
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            if end.code not in (None, 0, 1, 2, 3, 4, 5) or "Traceback" in err.getvalue():
                raise RuntimeError(f"exit code {end.code}: {err.getvalue()}") from None
