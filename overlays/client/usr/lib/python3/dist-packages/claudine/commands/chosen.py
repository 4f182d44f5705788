"""What a person chooses for the conversation that is open: its persona and its settings."""

from dataclasses import asdict, dataclass, replace

from claudine import voice as common
from claudine.commands import Command, Session
from claudine.conversation import ChatSettings
from claudine.face import Option
from claudine.text import printable
from claudine.voice import chat as voice


@dataclass(frozen=True)
class _Setting:
    """A number: the name of its *field* in ``ChatSettings``, and what is said of it."""

    name: str
    field: str
    note: str
    prompt: str
    example: str

    def value(self, settings: ChatSettings) -> str:
        """Return it as a person would write it; nothing if it is left to chance."""
        value = getattr(settings, self.field)
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    def told(self, settings: ChatSettings) -> str:
        """Say what is chosen."""
        return self.note.format(value=self.value(settings) or voice.SEED_CHANCE)

    def chosen(self, settings: ChatSettings, text: str) -> ChatSettings | None:
        """Return *settings* with what *text* says; None if that makes no sense."""
        number: float | None = None
        try:
            number = float(text) if self.field == "temperature" else int(text)
        except ValueError:
            if text or self.value(ChatSettings()):
                return None
        # What makes sense is what would be found again, were it stored.
        changed = ChatSettings.from_values({**asdict(settings), self.field: number})
        return changed if getattr(changed, self.field) == number else None


_SETTINGS = (
    _Setting(voice.TEMPERATURE, "temperature", voice.TEMPERATURE_NOTE, voice.TEMPERATURE_PROMPT, "0.7"),
    _Setting(voice.LENGTH, "max_tokens", voice.LENGTH_NOTE, voice.LENGTH_PROMPT, "500"),
    _Setting(voice.SEED, "seed", voice.SEED_NOTE, voice.SEED_PROMPT, "42"),
)


def _persona(session: Session, text: str) -> None:
    record, face = session.talk.record, session.face
    if not (text or face.interactive):
        face.remark(common.NEEDS_A_PERSON)
        return
    persona = text or _choose_persona(session)
    if persona is None:
        return
    persona = printable(persona).strip()
    record.set_settings(replace(record.settings, persona=persona))
    face.remark(voice.PERSONA_SET.format(persona=persona) if persona else voice.PERSONA_RESET)


def _choose_persona(session: Session) -> str | None:
    now = session.talk.record.settings.persona
    known = [persona for _, persona in voice.PERSONAS]
    options = [
        *(Option(title, persona) for title, persona in voice.PERSONAS),
        Option(voice.PERSONA_OWN, "" if now in known else now),
    ]
    chosen = session.face.choose(voice.PERSONA, options, start=known.index(now) if now in known else len(known))
    if chosen is None or chosen < len(known):
        return None if chosen is None else known[chosen]
    return session.face.ask(voice.PERSONA_OWN_PROMPT, draft=now)


def _settings(session: Session, argument: str) -> None:
    if argument:
        name, _, value = argument.partition(" ")
        named = [setting for setting in _SETTINGS if setting.name.casefold() == name.casefold()]
        if named:
            _set(session, named[0], value)
        else:
            session.face.remark(voice.UNKNOWN_SETTING)
        return
    if not session.face.interactive:
        session.face.remark(common.NEEDS_A_PERSON)
        return
    settings = session.talk.record.settings
    options = [*(Option(setting.name, setting.told(settings)) for setting in _SETTINGS), Option(voice.USUAL)]
    chosen = session.face.choose(voice.SETTINGS, options)
    if chosen is None:
        return
    if chosen == len(_SETTINGS):
        usual = ChatSettings(persona=settings.persona, cut=settings.cut, summary=settings.summary)
        session.talk.record.set_settings(usual)
        session.face.remark(voice.USUAL_DONE)
        return
    setting = _SETTINGS[chosen]
    text = session.face.ask(setting.prompt, draft=setting.value(settings))
    if text is not None:
        _set(session, setting, text)


def _set(session: Session, setting: _Setting, text: str) -> None:
    record, face = session.talk.record, session.face
    text = text.strip()
    settings = setting.chosen(record.settings, text)
    if settings is None:
        face.remark(voice.NO_SENSE.format(value=text or voice.NOTHING, example=setting.example))
        return
    record.set_settings(settings)
    face.remark(f"{setting.name}: {setting.told(settings)}.")


COMMANDS = (
    Command("persona", voice.PERSONA_COMMAND, _persona, argument="[text]", needs_person=False),
    Command("settings", voice.SETTINGS_COMMAND, _settings, argument="[name value]", needs_person=False),
)
