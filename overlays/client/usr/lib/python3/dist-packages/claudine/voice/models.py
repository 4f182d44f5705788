"""What Claudine says of the models that are here."""

from claudine.voice import size

ABSENT = "Nobody looks after models here: there is no service at {path}."
SILENT = "The service that looks after my models did not answer in time."
UNREACHABLE = "I cannot reach the service that looks after my models: {reason}."
UNREADABLE = "The service that looks after my models sent something that I cannot read."
BROKE_OFF = "The service that looks after my models broke off."

MODELS_COMMAND = "Choose another model, add one or remove one"
MODELS = "Which model?"
LOOKING = "I am looking at my models"
ROOM = "A model may have {memory} of this machine's memory, and {free} of the disk are free for more models."
ADD = ("Add one from a USB stick", "an image signed by the owner of this machine")
IN_USE, BUILT_IN = "in use", "part of the image"
FITS, TOO_BIG = "needs {memory}", "needs {memory}, which is too much here"

WHAT = "What shall I do with {title}?"
USE = "Use it"
SHORTER = "Start it with a shorter conversation ({tokens} tokens)"
LEAVE = "Leave it as it is"
LONGEST = "Start it with as long a conversation as there is memory for"
REMOVE = "Remove it from the disk"
CANNOT_USE = "{title} cannot be used: {problem}."
USED = "From now on I answer with {title}, and can hold {tokens} tokens at once."
USED_PLAINLY = "From now on I answer with {title}."
REMOVED = "{title} is removed."

ADD_TITLE = "Which model image?"
NO_IMAGES = "There is no model image on the stick: a file that ends with .raw, at the top or in the folder models."
ADDED = "{model} is here now. /models lets you use it."

_STEPS = {
    "starting": "I am starting the other model",
    "loading": "I am loading the other model",
    "answering": "I am waiting for its first word",
    "checking": "I am checking who signed it",
    "copying": "I am copying it",
    "verifying": "I am checking each block of it",
    "hashing": "I am reading my model",
}

_PROBLEMS = {
    "unsigned": "its image is not signed",
    "foreign": "its image is signed, but not with a key of this machine's owner",
    "changed": "its image is not what was signed: something in it was changed, or the disk is failing",
    "unreadable": "its file is no model image, or is damaged",
    "missing": "its partition is not on this disk",
}

_REFUSED = "I do not use my model {model}: {problem}. /models offers the others that are here."
_OOM = (
    "There was not enough memory for my model {model}. Only the model has ended. /models offers to try again with a "
    "shorter conversation, and the other models that are here."
)
_CRASHED = "My model {model} ends again and again right after it is started. /models offers the others that are here."

FELL_BACK = (
    "My model should run on the graphics of this machine, and runs on its processor: I am slower than I could be. "
    "/status names what it runs on."
)
ON_PROCESSOR = "on the processor, not on graphics"


def step(name: str, percent: int | None) -> str:
    """Say what is being done, and how far it is."""
    words = _STEPS.get(name, LOOKING)
    return words if percent is None else f"{words}, {percent} %"


def problem(name: str) -> str:
    """Say why a model cannot be used, as a clause."""
    return _PROBLEMS.get(name, name)


def trouble(result: str, model: str) -> str:
    """Say why there is no model that answers; empty if it only takes its time."""
    if result in _PROBLEMS:
        return _REFUSED.format(model=model, problem=_PROBLEMS[result])
    return {"oom": _OOM, "crashed": _CRASHED}.get(result, "").format(model=model)


def row(licence: str, weights_bytes: int, notes: list[str]) -> str:
    """Say what there is to know of a model in a line."""
    return ", ".join(filter(None, [*notes, size(weights_bytes), licence]))


def runs_on(backend: str, device: str) -> str:
    """Say what a model runs on: ``CPU``, ``Vulkan (AMD Radeon Graphics)``."""
    return f"{backend} ({device})" if backend and device else backend
