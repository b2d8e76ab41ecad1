"""The sampling settings of the authors' script, in process or on a server.

Their script leaves everything but the length at the defaults of vllm 0.5.5:
temperature 1, top_p 1, no top_k, no repetition penalty, no seed
(BenoitWang/What_Are_They_Doing evaluation/eval.py@e728f83).

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import Optional

MAX_TOKENS = 1000


def paper_generator(
    source: str,
    base_url: Optional[str] = None,
    bos: str = "double",
    api_key_env: Optional[str] = None,
    concurrency: int = 8,
    batch_size: int = 8,
):
    """Make a generator that samples as the authors' script does.

    Arguments
    ---------
    source : str
        Hub name or folder; behind a server, the model's name there.
    base_url : str, optional
        Of an OpenAI-compatible server; None runs the model in process.
    bos : str
        In process: ``double`` begins a prompt with two BOS tokens where the
        model's template brings one, as their script does; ``single`` with
        one. A server's chat interface always gives one.
    api_key_env : str, optional
        Name of the environment variable with the server's key.
    concurrency : int
        Requests under way at once, on a server.
    batch_size : int
        Chats per forward pass, in process.

    Returns
    -------
    object
        See ``integrations/reply.py``.

    Example
    -------
    >>> generator = paper_generator("Qwen/Qwen2.5-72B-Instruct")
    >>> generator.config()["temperature"], generator.config()["bos"]
    (1.0, 'double')
    """
    if base_url is None:
        from speechbrain_jasco.integrations.transformers_generator import (
            TransformersGenerator,
        )

        return TransformersGenerator(
            source,
            batch_size=batch_size,
            max_new_tokens=MAX_TOKENS,
            temperature=1.0,
            dtype="float16",
            device="auto",
            bos=bos,
        )
    from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator

    return OpenAIGenerator(
        source,
        base_url,
        api_key_env=api_key_env,
        concurrency=concurrency,
        timeout_s=600.0,
        request={
            "temperature": 1.0,
            "top_p": 1.0,
            "max_tokens": MAX_TOKENS,
            # A server may otherwise take these from the checkpoint.
            "extra_body": {"top_k": -1, "repetition_penalty": 1.0},
        },
    )
