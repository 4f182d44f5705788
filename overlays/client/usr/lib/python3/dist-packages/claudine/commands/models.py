"""Which model answers: the image's own, or one that was added."""

from typing import TYPE_CHECKING

from claudine.commands import Command, Session
from claudine.commands.stick import opened_stick
from claudine.face import Option
from claudine.models import Fate, Model, ModelsService
from claudine.state import StateError
from claudine.stop import Stop
from claudine.text import one_line
from claudine.voice import models as voice
from claudine.voice import size

if TYPE_CHECKING:
    from claudine.stick import OpenStick, Place

_FOLDER = "models"
_SUFFIX = ".raw"
# Less is no conversation.
_LEAST_TOKENS = 512


def models(session: Session, _argument: str) -> None:
    """Show what is here, and do with one of them what the person wants."""
    service = ModelsService.beside(session.service.path)
    try:
        with session.face.busy(voice.LOOKING):
            shelf, fate = service.shelf(), service.fate()
        about = voice.ROOM.format(memory=size(shelf.memory_bytes), free=size(shelf.free_bytes))
        options = [*map(_option, shelf.models), Option(*voice.ADD)]
        chosen = session.face.choose(voice.MODELS, options, about=about)
        if chosen is None:
            return
        if chosen == len(shelf.models):
            _add(session, service)
        else:
            _do(session, service, shelf.models[chosen], fate)
    except StateError as failure:
        session.face.remark(str(failure))


def offer_shorter(session: Session) -> None:
    """Offer to start the model again with a shorter conversation, after it has run out of memory."""
    service = ModelsService.beside(session.service.path)
    try:
        with session.face.busy(voice.LOOKING):
            shelf, fate = service.shelf(), service.fate()
        model = next((one for one in shelf.models if one.in_use), None)
        shorter = _shorter(model, fate) if model and fate.result == "oom" else None
        if model is None or shorter is None:
            return
        options = [Option(voice.SHORTER.format(tokens=shorter)), Option(voice.LEAVE)]
        if session.face.choose(voice.WHAT.format(title=model.title), options) == 0:
            _use(session, service, model, shorter)
    except StateError as failure:
        session.face.remark(str(failure))


def _shorter(model: Model, fate: Fate) -> int | None:
    """Return half the tokens that the model in use has, or would have; None if less is no conversation."""
    tokens = fate.context_tokens or model.context_tokens
    shorter = max(_LEAST_TOKENS, tokens // 2)
    return shorter if model.fits and not model.problem and shorter < tokens else None


def _option(model: Model) -> Option:
    needs = (voice.FITS if model.fits else voice.TOO_BIG).format(memory=size(model.memory_bytes))
    notes = [
        voice.IN_USE if model.in_use else "",
        voice.BUILT_IN if model.place == "image" else "",
        voice.problem(model.problem) if model.problem else needs,
    ]
    return Option(model.title, voice.row(model.licence, model.weights_bytes, notes), model.id)


def _do(session: Session, service: ModelsService, model: Model, fate: Fate) -> None:
    """Use *model*, or start the one in use with another length of conversation, or remove it."""
    shorter = _shorter(model, fate) if model.in_use else None
    offers = []
    usable = model.fits and not model.problem
    if usable and not model.in_use:
        offers.append((voice.USE, "use"))
    if shorter:
        offers.append((voice.SHORTER.format(tokens=shorter), "shorter"))
    if usable and model.in_use:
        offers.append((voice.LONGEST, "use"))
    if model.place != "image" and not model.in_use:
        offers.append((voice.REMOVE, "remove"))
    if not offers:
        session.face.remark(_why_nothing(model))
        return
    about = voice.CANNOT_USE.format(title=model.title, problem=voice.problem(model.problem))
    title = voice.WHAT.format(title=model.title)
    chosen = session.face.choose(title, [Option(words) for words, _ in offers], about=about if model.problem else "")
    match None if chosen is None else offers[chosen][1]:
        case "use":
            _use(session, service, model, None)
        case "shorter":
            _use(session, service, model, shorter)
        case "remove":
            with session.face.busy(voice.LOOKING):
                service.remove(model.id)
            session.face.remark(voice.REMOVED.format(title=model.title))


def _why_nothing(model: Model) -> str:
    title = model.title
    if model.problem:
        return voice.CANNOT_USE.format(title=title, problem=voice.problem(model.problem))
    return voice.CANNOT_USE.format(title=title, problem=voice.TOO_BIG.format(memory=size(model.memory_bytes)))


def _use(session: Session, service: ModelsService, model: Model, tokens: int | None) -> None:
    stop = Stop()
    with session.face.busy(voice.step("starting", None), stop) as say:
        service.use(model.id, tokens, lambda step, percent: say(voice.step(step, percent)), stop)
    session.talk.meet()
    engine = session.talk.engine
    used = voice.USED if engine else voice.USED_PLAINLY
    session.face.remark(used.format(title=model.title, tokens=engine.n_ctx if engine else 0))


def _add(session: Session, service: ModelsService) -> None:
    added = ""
    with opened_stick(session) as stick:
        path = _choose_image(session, stick) if stick else ""
        if path:
            stop = Stop()
            with session.face.busy(voice.step("checking", None), stop) as say:
                added = service.add(path, lambda step, percent: say(voice.step(step, percent)), stop)
    if added:
        session.face.remark(voice.ADDED.format(model=added))


def _choose_image(session: Session, stick: "OpenStick") -> str:
    """Let one of the model images be chosen, and return its place on the stick."""
    with session.face.busy(voice.LOOKING):
        images = [*_images(stick, ()), *_images(stick, (_FOLDER,))]
    if not images:
        session.face.remark(voice.NO_IMAGES)
        return ""
    options = [Option(one_line("/".join(place)), size(size_bytes)) for place, size_bytes in images]
    chosen = session.face.choose(voice.ADD_TITLE, options)
    return "" if chosen is None else "/".join(images[chosen][0])


def _images(stick: "OpenStick", folder: "Place") -> list[tuple["Place", int]]:
    try:
        entries = stick.entries(folder)
    except FileNotFoundError:
        return []
    return [
        ((*folder, entry.name), entry.size_bytes)
        for entry in entries
        if entry.name.endswith(_SUFFIX) and not entry.is_folder
    ]


COMMANDS = (Command("models", voice.MODELS_COMMAND, models),)
