"""Properties are tried on the same examples in every run, so that no run fails by luck.

New examples: ``pytest --hypothesis-profile=explore``.
"""

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("steady")
