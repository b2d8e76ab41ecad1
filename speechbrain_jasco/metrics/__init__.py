"""From verdicts to numbers: pure functions, formulas in ``docs/metrics.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""
