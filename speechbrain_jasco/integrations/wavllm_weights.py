"""WavLLM's released checkpoint (microsoft/SpeechT5 WavLLM@5d66cf5) by our names.


Authors
 * The speechbrain_jasco developers, 2026
"""

import re

from speechbrain_jasco.integrations.original_weights import (
    OriginalCheckpoint,
)
from speechbrain_jasco.lobes.models.prompt_scaled_lora import half_split

WAVLLM_BLOCK = r"gpt_model\.model_llama\.layers\.(\d+)\.attention\."
WAVLLM = (
    *(
        (rf"{theirs}\.{their_part}\.(.*)", rf"{ours}.{our_part}.\1")
        for theirs, ours in (
            ("audio_encoder", "fusion.branches.0"),
            ("wavlm_encoder", "fusion.branches.1"),
        )
        for their_part, our_part in (
            (r"subsample\.conv_layers", "convs"),
            (r"adapter\.down_layer", "down"),
            (r"adapter\.up_layer", "up"),
            (r"adapter\.layer_norm", "norm"),
            ("projector", "projection"),
        )
    ),
    (r"wavlm_encoder\.output_weights", "fusion.branches.1.layer_weights"),
    (r"wavlm_audio_proj\.(.*)", r"fusion.projection.\1"),
    (
        WAVLLM_BLOCK + r"w([qkvo])_lora_([AB])",
        r"llm.model.model.layers.\1.self_attn.\2_proj.lora_\3",
    ),
    (
        r"gpt_model\.model_llama\.scale_(fc_[12])\.(.*)",
        r"llm.model.prompt_scale.\1.\2",
    ),
    (
        r"gpt_model\.model_llama\.scale_weight_attention\.(.*)",
        r"llm.model.prompt_scale.attention.\1",
    ),
)
WAVLLM_UNUSED = (r"audio_proj\..*",)  # the way without WavLM


class WavllmCheckpoint(OriginalCheckpoint):
    """WavLLM: the trained parts of a converted ``final.pt``.

    The published file also holds both encoders and the LLM;
    ``wavllm_conversion`` cuts it into ordinary folders and this rest.

    Arguments
    ---------
    path : str
        ``adapters.safetensors`` of the converted folder.

    Example
    -------
    >>> WavllmCheckpoint("wavllm/adapters.safetensors").fingerprint()
    'WavllmCheckpoint:wavllm/adapters.safetensors'
    """

    where = (
        "WavLLM's final.pt (hub repository v-sjhu/WavLLM), converted once by "
        "`python -m speechbrain_jasco.integrations.wavllm_conversion final.pt "
        "tokenizer.model FOLDER`, which writes it"
    )
    table = WAVLLM
    unused = WAVLLM_UNUSED

    def read(self, audio_llm):
        """Reads the weights for a model.

        Arguments
        ---------
        audio_llm : AudioLLM
            The model, for its names, shapes and number of heads.

        Returns
        -------
        dict
            Our name -> torch.Tensor, exactly the trainable parts.

        Raises
        ------
        ValueError
            If the file is not a checkpoint or does not fit the model.
        """
        n_heads = audio_llm.llm.model.config.num_attention_heads
        return {
            name: half_split(tensor, n_heads, dim=1)
            if re.search(r"\.[qk]_proj\.lora_B$", name)
            else tensor
            for name, tensor in super().read(audio_llm).items()
        }
