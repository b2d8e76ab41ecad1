"""Chats as a model's own tokens: the tokenizer of a chat model, and no holes.

Authors
 * The speechbrain_jasco developers, 2026
"""

from jinja2 import TemplateError
from transformers import AutoConfig, AutoTokenizer

from speechbrain_jasco.integrations.prompt_template import break_up_specials


class ChatTokenizer:
    """Tokenizes chats by the template of the model.

    Arguments
    ---------
    source : str
        What the user called it, for messages.
    folder : str or Path
        Hub name or local folder.
    double_bos : bool
        Whether the tokenizer's own special tokens are added to what the
        template gives.

    Raises
    ------
    ValueError
        If that is not a chat model.
    """

    def __init__(self, source, folder, double_bos=False):
        self.double_bos = double_bos
        try:
            AutoConfig.from_pretrained(folder)
            tokenizer = AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{source!r} is not a model transformers can load "
                f"({error}). Give a hub name, a folder or starter:NAME."
            ) from error
        if tokenizer.chat_template is None:
            raise ValueError(
                f"{source!r} has no chat template: it is a base model. "
                "Give an instruct model."
            )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self.tokenizer = tokenizer

    def encode_chats(self, chats):
        """Tokenize chats, each once.

        Arguments
        ---------
        chats : list of list of dict
            Messages with ``role`` and ``content``.

        Returns
        -------
        list of list of int
        """
        texts = [self._write(chat) for chat in chats]
        return self.encode(texts, self.double_bos) if texts else []

    def encode(self, texts, add_special_tokens=False):
        """Tokenize text as it is: templated prompts bring their own BOS.

        Arguments
        ---------
        texts : list of str
            The texts.
        add_special_tokens : bool
            Whether the tokenizer adds its own.

        Returns
        -------
        list of list of int
        """
        return self.tokenizer(texts, add_special_tokens=add_special_tokens)[
            "input_ids"
        ]

    def decode(self, rows):
        """Turn replies into text (list of str).

        Arguments
        ---------
        rows : torch.Tensor
            [B, N] token ids.
        """
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _write(self, chat):
        """Write a chat in the model's own format.

        A special token spelled out in a message would close the turn and let
        the text speak for the assistant: it is broken up.
        """
        chat = [
            {
                **message,
                "content": break_up_specials(
                    message["content"], self.tokenizer
                ),
            }
            for message in chat
        ]
        options = {"tokenize": False, "add_generation_prompt": True}
        try:
            return self.tokenizer.apply_chat_template(chat, **options)
        except TemplateError:
            if chat[0]["role"] != "system":
                raise
        # Gemma 2 and others take no system message: the user says it.
        system, user, *rest = chat
        both = f"{system['content']}\n\n{user['content']}"
        chat = [{**user, "content": both}, *rest]
        return self.tokenizer.apply_chat_template(chat, **options)
