"""Ask a language model, and nothing twice.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain_jasco.journal import content_key


class Asker:
    """Asks a generator what has not been asked before.

    Arguments
    ---------
    generator : object
        Gives the replies (``speechbrain_jasco/integrations/reply.py``).
    journal : Journal
        Keeps them.
    """

    def __init__(self, generator, journal):
        self.generator = generator
        self.journal = journal
        self.config = generator.config()

    def ask(self, chats, **options):
        """Get a reply to each chat.

        Arguments
        ---------
        chats : list of list of dict
            Messages with ``role`` and ``content``.
        **options
            For the generator.

        Returns
        -------
        list of dict
            The fields of ``Reply``. What failed on the way is asked anew by
            the next run.
        """
        keys = [content_key(self.config, chat, options) for chat in chats]
        rows = self.journal.rows
        new = {
            key: chat
            for key, chat in zip(keys, chats, strict=True)
            if rows.get(key, {}).get("status") != "ok"
        }
        names = list(new)

        def keep(index, reply):
            self.journal.append({"key": names[index], **reply._asdict()})

        if new:
            self.generator.complete(list(new.values()), keep, **options)
        return [rows[key] for key in keys]


def chat(user, system=None):
    """Write a chat of one or two messages.

    Arguments
    ---------
    user : str
        What is asked.
    system : str, optional
        What goes before.

    Returns
    -------
    list of dict

    Example
    -------
    >>> chat("Hello?")
    [{'role': 'user', 'content': 'Hello?'}]
    """
    messages = [{"role": "user", "content": user}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return messages
