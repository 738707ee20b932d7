"""Parallel speculative decoding: engine, timeline, and the task profiles that instances are drawn from.

Nothing heavy is imported here: ``uara.psd.profile`` needs NumPy alone, the engine needs ``uara[psd]``.
"""
