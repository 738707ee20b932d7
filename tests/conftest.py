"""Properties are tried on the same examples in every run, so that no run fails by luck.

New examples: ``pytest --hypothesis-profile=explore``.
"""

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("explore", deadline=None, max_examples=200)
settings.load_profile("steady")
