"""Radio channels from Sionna: ray tracing, 3GPP 38.901, positions and mobility.

Everything that touches Sionna runs in a worker process (:mod:`uara.scenarios.channel.isolation`), so this
package imports nothing heavy and an abort of the compiler below the ray tracer becomes an error.
"""
