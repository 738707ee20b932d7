"""The slotted world of section III.A: moving devices, draining batteries, queues at the servers."""
