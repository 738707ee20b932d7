"""How likely the target accepts each draft token along an output, from one pass of each model."""

from __future__ import annotations

from collections.abc import Sequence

from uara.psd.models import LanguageModel
from uara.psd.sampling import Sampler
from uara.psd.session import Session


def acceptance_along(
    draft: LanguageModel,
    target: LanguageModel,
    prompt: Sequence[int],
    output: Sequence[int],
    sampler: Sampler,
) -> list[float]:
    """Probability of acceptance at each position of an output.

    Parameters
    ----------
    prompt, output
        Token ids; the output is the target's own.

    Returns
    -------
    list of float
        sum over x of min(p[x], q[x]), the mean of eq. (1) over the draft's proposals, shape (len(output),); 0 or 1
        when greedy.
    """
    import torch

    sequence = [*prompt, *output[:-1]]
    with torch.inference_mode():
        both = []
        for model in (draft, target):
            both.append(sampler.distribution(Session(model).feed(sequence, len(output))).to(target.device))
        width = min(each.shape[-1] for each in both)
        overlap = torch.minimum(both[0][:, :width], both[1][:, :width]).sum(-1)
    return [min(1.0, max(0.0, float(each))) for each in overlap.tolist()]
