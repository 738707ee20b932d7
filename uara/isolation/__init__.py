"""Work in processes of their own, for the benchmark's runs and for the channel simulator.

    supervisor -- template (one a thread, preload and thread count) -- watcher -- worker (leads its own group)

A template imports what most work needs and forks in milliseconds. Limits are enforced, a crash is named, whatever a
worker leaves behind is ended, and nothing that it says is unpickled.

The standard library's processes keep none of this. ``ProcessPoolExecutor`` unpickles what a worker sends. The
``forkserver`` of :mod:`multiprocessing` listens on a socket that every worker finds: what a hostile one has it fork
is no child of its watcher, and outlives it. It runs the main module again in every worker, has one environment for
all (threads are pinned by the environment, before NumPy loads), stays in the terminal's process group, and where it
does not answer, ``start`` waits for ever. Its start takes as long as this one's.
"""
