"""From numbers to tables and figures.

Authors
 * The speechbrain_jasco developers, 2026
"""
