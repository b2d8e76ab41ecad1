"""Building blocks that need torch and SpeechBrain only.

Authors
 * The speechbrain_jasco developers, 2026
"""
