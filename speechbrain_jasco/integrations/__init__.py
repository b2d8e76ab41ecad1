"""Everything that needs a dependency SpeechBrain's core does not have.

Authors
 * The speechbrain_jasco developers, 2026
"""
