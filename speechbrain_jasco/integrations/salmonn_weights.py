"""SALMONN's released checkpoint (bytedance/SALMONN@a58bba7) by our names.


Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco.integrations.original_weights import (
    OriginalCheckpoint,
)

QFORMER = r"speech_Qformer\.bert\.encoder\.layer\.(\d+)\."
SALMONN = (
    (r"ln_speech\.(.*)", r"fusion.norms.0.\1"),
    (r"ln_audio\.(.*)", r"fusion.norms.1.\1"),
    (r"speech_query_tokens", "fusion.qformer.queries"),
    (
        r"speech_Qformer\.bert\.embeddings\.LayerNorm\.(.*)",
        r"fusion.qformer.norm.\1",
    ),
    (
        QFORMER + r"attention\.self\.(.*)",
        r"fusion.qformer.layers.\1.self_attention.\2",
    ),
    (
        QFORMER + r"attention\.output\.dense\.(.*)",
        r"fusion.qformer.layers.\1.self_attention.dense.\2",
    ),
    (
        QFORMER + r"attention\.output\.LayerNorm\.(.*)",
        r"fusion.qformer.layers.\1.self_attention.norm.\2",
    ),
    (
        QFORMER + r"crossattention\.self\.(.*)",
        r"fusion.qformer.layers.\1.cross_attention.\2",
    ),
    (
        QFORMER + r"crossattention\.output\.dense\.(.*)",
        r"fusion.qformer.layers.\1.cross_attention.dense.\2",
    ),
    (
        QFORMER + r"crossattention\.output\.LayerNorm\.(.*)",
        r"fusion.qformer.layers.\1.cross_attention.norm.\2",
    ),
    (
        QFORMER + r"intermediate_query\.dense\.(.*)",
        r"fusion.qformer.layers.\1.feed_forward.expand.\2",
    ),
    (
        QFORMER + r"output_query\.dense\.(.*)",
        r"fusion.qformer.layers.\1.feed_forward.dense.\2",
    ),
    (
        QFORMER + r"output_query\.LayerNorm\.(.*)",
        r"fusion.qformer.layers.\1.feed_forward.norm.\2",
    ),
    (r"speech_llama_proj\.(.*)", r"fusion.projection.\1"),
    (r"llama_model\.(.*\.lora_[AB]\.default\.weight)", r"llm.model.\1"),
)
# BERT's words, their positions and the text's half of each layer: the code of
# 2023 made them, nothing uses them. Buffers are computed, not learned.
SALMONN_UNUSED = (
    r"speech_Qformer\.bert\.embeddings\.(word|position)_embeddings\..*",
    r"speech_Qformer\.bert\.embeddings\.position_ids",
    QFORMER + r"(intermediate|output)\..*",
    r"speech_Qformer\.cls\..*",
    r"llama_model\..*\.rotary_emb\.inv_freq",
)


class SalmonnCheckpoint(OriginalCheckpoint):
    """SALMONN: a dict with the trained parts under ``model``.

    What a training run adds beside (``optimizer``, ``config``, ``scaler``,
    ``epoch``) is not looked at.

    Arguments
    ---------
    path : str
        ``salmonn_7b_v0.pth`` or ``salmonn_v1.pth`` (13B).

    Example
    -------
    >>> SalmonnCheckpoint("salmonn_7b_v0.pth").fingerprint()
    'SalmonnCheckpoint:salmonn_7b_v0.pth'
    """

    where = (
        "SALMONN's weights: salmonn_7b_v0.pth of the hub repository "
        "tsinghua-ee/SALMONN-7B, or salmonn_v1.pth of tsinghua-ee/SALMONN (13B)"
    )
    table = SALMONN
    unused = SALMONN_UNUSED

    def tensors(self):
        """The tensors under ``model`` by their own names (dict).

        Raises
        ------
        ValueError
            If there are none.
        """
        checkpoint = super().tensors()
        if Path(self.path).suffix == ".safetensors":
            return checkpoint  # as converted, without the level above
        if not isinstance(checkpoint, dict) or "model" not in checkpoint:
            keys = list(checkpoint)[:5] if isinstance(checkpoint, dict) else []
            raise ValueError(
                f"{self.path}: got a file with {keys} at its top, expected "
                f"'model'; expected {self.where}"
            )
        return checkpoint["model"]
