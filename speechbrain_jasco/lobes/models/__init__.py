"""Networks; they would move to ``speechbrain.lobes.models`` unchanged.

Authors
 * The speechbrain_jasco developers, 2026
"""
