"""What training has changed in an auditory LLM, as a file of its own.

The file (safetensors) holds the fusion and the adapter of the LLM; encoders
and LLM are somebody else's and stay where they are.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from speechbrain_jasco.fingerprint import fingerprint


class TrainedWeights:
    """Weights that ``export`` has written.

    Arguments
    ---------
    path : str or Path
        The file.

    Example
    -------
    >>> TrainedWeights("nowhere.safetensors").check()
    Traceback (most recent call last):
    ...
    ValueError: no trained weights: got 'nowhere.safetensors', expected a file...
    """

    def __init__(self, path):
        self.path = Path(path)

    def check(self):
        """Fails now rather than later if there is no such file.

        Raises
        ------
        ValueError
            If so.
        """
        if not self.path.is_file():
            raise ValueError(
                f"no trained weights: got {str(self.path)!r}, expected a file "
                "that train.py has exported (.safetensors). Train first, or "
                "give the path of such a file."
            )

    def fingerprint(self):
        """What tells this file from others (str)."""
        return fingerprint(str(self.path))

    def read(self, model):
        """Reads the weights.

        Arguments
        ---------
        model : AudioLLM
            Who they are for; not looked at.

        Returns
        -------
        dict
            Name -> tensor.

        Raises
        ------
        ValueError
            If it is not a safetensors file.
        """
        self.check()
        try:
            return load_file(self.path)
        except SafetensorError as error:
            raise ValueError(
                f"{self.path} is not a safetensors file ({error}). Give one "
                "that train.py has exported."
            ) from error


def export(model, path, dtype=None):
    """Writes the trained weights of a model.

    Arguments
    ---------
    model : AudioLLM
        The model.
    path : str or Path
        The file.
    dtype : torch.dtype, optional
        Precision in the file; by default each weight's own. Whole numbers
        stay as they are.
    """
    state = {
        name: w.to(dtype if dtype and w.is_floating_point() else w.dtype)
        for name, w in model.trainable_state().items()
    }
    save_file({name: w.contiguous() for name, w in state.items()}, path)
