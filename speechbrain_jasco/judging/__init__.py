"""From an answer to a verdict: prompts, parsers, judges and their store.

Authors
 * The speechbrain_jasco developers, 2026
"""
