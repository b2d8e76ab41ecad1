"""Voices of any program that writes a wav: espeak-ng, flite, SVOX Pico, ...

The command is a list of words in which ``{text}``, ``{wav}``, ``{preset}``,
``{speed}`` and ``{wpm}`` (words a minute) are filled in; it runs without a
shell, so no text is ever a command. In a YAML:

    [espeak-ng, -v, "{preset}", -s, "{wpm}", -w, "{wav}", --, "{text}"]
    [flite, -voice, "{preset}", --setf, "duration_stretch={stretch}",
     -o, "{wav}", -t, "{text}"]
    ["{python}", -m, py_nanotts, -v, "{preset}", --speed, "{speed}",
     -o, "{wav}", --, "{text}"]

Authors
 * The speechbrain_jasco developers, 2026
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import soundfile

from speechbrain_jasco.building.speakers import Speaker

USUAL_WPM = 160
LONGEST_S = 120


class CommandSpeaker(Speaker):
    """Runs a command for each line.

    Arguments
    ---------
    command : list of str
        See above; ``{python}`` is this interpreter and ``{stretch}`` the
        inverse of the speed.
    voices : list of dict
        Fields of ``Voice`` each.
    install : str
        What to do where the command is not found.

    Example
    -------
    >>> speaker = CommandSpeaker(["say", "{text}"], [], "ask a friend")
    >>> speaker.fill("Hi; rm *", "ann", 1.0, "x.wav")
    ['say', 'Hi; rm *']
    """

    def __init__(self, command, voices, install="install it"):
        super().__init__(voices)
        self.command = list(command)
        self.install = install

    def fill(self, text, preset, speed, wav):
        """The command of one line.

        Arguments
        ---------
        text, preset : str
            What to say, and who.
        speed : float
            Tempo; 1 is usual.
        wav : str
            Where the speech goes.

        Returns
        -------
        list of str
        """
        values = {
            "text": text,
            "preset": preset,
            "speed": f"{speed:.4g}",
            "stretch": f"{1 / speed:.4g}",
            "wpm": round(USUAL_WPM * speed),
            "wav": wav,
            "python": sys.executable,
        }
        return [word.format(**values) for word in self.command]

    def synthesise(self, text, preset, speed):
        """Speak (see ``Speaker``)."""
        with tempfile.TemporaryDirectory() as folder:
            wav = str(Path(folder) / "speech.wav")
            run = subprocess.run(
                self.fill(text, preset, speed, wav),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST_S,
                errors="replace",
            )
            if run.returncode or not Path(wav).is_file():
                raise ValueError(
                    f"{self.command[0]} cannot speak the line {text!r} (exit "
                    f"code {run.returncode}): {run.stderr[-300:]}"
                )
            samples, rate_hz = soundfile.read(wav, always_2d=True)
        return samples.mean(axis=1), rate_hz

    def check(self):
        """Look for the command.

        Raises
        ------
        RuntimeError
            If it is not installed.
        """
        program = self.fill("", "", 1.0, "")[0]
        module = ""
        if self.command[:2] == ["{python}", "-m"]:
            module = self.command[2]
        if not shutil.which(program) or (module and not find_spec(module)):
            names = ", ".join(voice.name for voice in self.voices())
            raise RuntimeError(
                f"{module or program}: not found, and the voices {names} need "
                f"it. To have them: {self.install}. Or take them out of "
                "voice_splits."
            )

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {"speaker": type(self).__name__, "command": self.command}
