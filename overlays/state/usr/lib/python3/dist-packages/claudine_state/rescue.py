"""What a person meets when the disk cannot be had: what happened, and keys that mend it. There is no shell.

systemd starts this in place of its emergency shell, and goes on booting when it has ended well.
"""

from typing import assert_never

from claudine_state import recovery_key, reset, voice
from claudine_state.console import Console
from claudine_state.diagnosis import Kind, Offer, Problem, diagnose
from claudine_state.facts import Facts, look
from claudine_state.host import Host
from claudine_state.run import CommandError
from claudine_state.seal import seal

# cryptsetup(8): no permission (bad passphrase).
_WRONG_KEY = 2
# e2fsck(8): 1 errors corrected, 2 corrected and a restart is advised, which holds for mounted file systems only.
_REPAIRED = 1 | 2
# With two lines each they leave room on a screen of 25 lines.
_SHOWN_UNITS = 6


class Rescue:
    """A conversation with one person about one problem at a time, until the boot can go on or the machine goes down."""

    def __init__(self, host: Host, console: Console) -> None:
        self._host = host
        self._console = console

    def run(self) -> bool:
        """Go on until something worked. True when the disk is there now, False when the machine is going down."""
        remark = ""
        while True:
            facts = look(self._host)
            problem = diagnose(facts)
            self._console.clear()
            if remark:
                self._console.say(remark)
            self._describe(problem, facts)
            try:
                done = self._mend(problem, facts)
            except (CommandError, OSError) as error:
                remark = voice.FAILED.format(error=error)
                continue
            remark = ""
            if done is not None:
                self._console.clear()
                return done

    def _describe(self, problem: Problem, facts: Facts) -> None:
        self._console.say(voice.problem(problem.kind, facts))
        match problem.kind:
            case Kind.NOT_CREATED:
                self._console.quote(self._journal("systemd-repart.service"))
            case Kind.DAMAGED:
                self._console.quote(self._journal("var.mount", "systemd-fsck@dev-mapper-state.service"))
            case Kind.OTHER:
                self._console.quote(self._failed_units())
            case _:
                pass

    def _mend(self, problem: Problem, facts: Facts) -> bool | None:
        """Let the person choose. True or False end the rescue as in :meth:`run`; None looks at everything anew."""
        if Offer.UNLOCK in problem.offers:
            offer = self._unlock(problem.offers, facts)
            if offer is None:
                return True
        else:
            offer = self._choose(problem.offers)
        match offer:
            case Offer.UNLOCK:
                return None
            case Offer.REPAIR:
                return self._repair()
            case Offer.START_OVER:
                return self._start_over()
            case Offer.RESTART | Offer.POWER_OFF:
                self._console.say(voice.GOING_DOWN)
                self._host.run(["systemctl", "reboot" if offer is Offer.RESTART else "poweroff"])
                return False
            case _:
                assert_never(offer)

    def _choose(self, offers: tuple[Offer, ...]) -> Offer:
        self._console.say(voice.offers(offers))
        return Offer(self._press(*(offer.value for offer in offers)))

    def _press(self, *keys: str) -> str:
        while (key := self._console.read_key()) not in keys:
            pass
        return key

    def _unlock(self, offers: tuple[Offer, ...], facts: Facts) -> Offer | None:
        """Ask for the key until one opens the disk, or the person wants something else: that is returned."""
        self._console.say(voice.ASK_PASSPHRASE if facts.unlock == "passphrase" else voice.ASK_RECOVERY_KEY)
        self._console.say(voice.KEYBOARD)
        while True:
            typed = self._ask(facts)
            if not typed:
                return self._choose(offers)
            if typed.strip().lower() == "reset" and facts.unlock == "tpm2":
                return Offer.START_OVER
            try:
                key = _key(typed, facts)
            except recovery_key.NotARecoveryKeyError as reason:
                self._console.say(str(reason))
                continue
            self._console.say(voice.TRYING)
            if self._open(key):
                break
            self._console.say(voice.WRONG_PASSPHRASE if facts.unlock == "passphrase" else voice.WRONG_KEY)
        if facts.unlock == "tpm2":
            self._seal_again(key, facts)
        return None

    def _ask(self, facts: Facts) -> str:
        if facts.unlock == "passphrase":
            return self._console.read_line(voice.PASSPHRASE_PROMPT, echo=False)
        return self._console.read_line(voice.RECOVERY_KEY_PROMPT)

    def _open(self, key: bytes) -> bool:
        """Open the disk as crypttab would. False if *key* does not; raises CommandError for other reasons."""
        argv = ["cryptsetup", "open", "--type", "luks2", "--key-file", "-", "--allow-discards"]
        try:
            # The TPM has refused already; asking it again would take its time.
            self._host.run([*argv, "--disable-external-tokens", str(self._host.partition), "state"], stdin=key)
        except CommandError as error:
            if error.returncode == _WRONG_KEY:
                return False
            raise
        return True

    def _seal_again(self, key: bytes, facts: Facts) -> None:
        self._console.say(voice.OPENED)
        if not facts.has_tpm:
            self._console.say(voice.CONTINUE_OFFER)
            self._press("c")
            return
        if not facts.secure_boot or facts.setup_mode:
            self._console.say(voice.SEAL_SECURE_BOOT_OFF)
        while True:
            self._console.say(voice.SEAL_OFFERS)
            if self._press("s", "c") == "c":
                return
            self._console.say(voice.SEALING)
            try:
                seal(self._host, key)
            except CommandError as error:
                self._console.say(voice.FAILED.format(error=error))
            else:
                return

    def _repair(self) -> bool | None:
        self._console.say(voice.REPAIRING)
        try:
            self._host.run(["e2fsck", "-f", "-y", "-C", "0", str(self._host.volume)], on_screen=True)
        except CommandError as error:
            if error.returncode & ~_REPAIRED:
                raise
        return True

    def _start_over(self) -> bool | None:
        self._console.say(voice.START_OVER)
        if self._console.read_line(voice.RECOVERY_KEY_PROMPT).strip().lower() != voice.START_OVER_WORDS:
            return None
        self._console.say(voice.GOING_DOWN)
        reset.request_reset(self._host)
        reset.erase_and_restart(self._host)
        return False

    def _failed_units(self) -> list[str]:
        try:
            listed = self._host.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"])
        except CommandError as error:
            return [str(error)]
        units = [line.split()[0] for line in listed.decode(errors="replace").splitlines() if line.strip()]
        return [
            line
            for unit in units[:_SHOWN_UNITS]
            for line in (unit, *(f"  {said}" for said in self._journal(unit, lines=1)))
        ]

    def _journal(self, *units: str, lines: int = 8) -> list[str]:
        chosen = [f"--unit={unit}" for unit in units]
        try:
            said = self._host.run(["journalctl", "--boot", *chosen, "--output=cat", f"--lines={lines}", "--no-pager"])
        except CommandError as error:
            return [str(error)]
        return said.decode(errors="replace").splitlines()


def _key(typed: str, facts: Facts) -> bytes:
    """Return what opens the disk. Where a passphrase does, a recovery key may have been made too."""
    try:
        return recovery_key.normalise(typed).encode()
    except recovery_key.NotARecoveryKeyError:
        if facts.unlock == "tpm2":
            raise
        return typed.encode(errors="surrogateescape")
