"""``python3 -I -m claudine_preflight CONSOLE…``: check the machine, leave the report, and wait for a key."""

import signal
import sys

from claudine_preflight import esp, voice
from claudine_preflight.dialog import Screens, open_consoles
from claudine_preflight.findings import judge
from claudine_preflight.machine import look
from claudine_state.host import Host


def main(names: list[str]) -> int:
    """Run the check on the consoles of these names."""
    host = Host()
    screens = Screens(open_consoles(names))
    command = check(host, screens)
    if command is None:
        print("No console is left to show the report on", file=sys.stderr)
        return 1
    screens.say(voice.GOING_DOWN)
    host.run(["systemctl", command])
    # A service that ends would be started again, while the machine goes down.
    while True:
        signal.pause()


def check(host: Host, screens: Screens) -> str | None:
    """Look, tell, and return what the person chose, as :meth:`Screens.choose` does."""
    screens.clear()
    screens.say(voice.LOOKING)
    machine = look(host, has_keys=esp.has_keys(host))
    report = voice.report(machine, judge(machine))
    try:
        esp.leave(host, report)
        left = voice.LEFT.format(name=esp.REPORT)
    except esp.EspError as error:
        left = voice.NOT_LEFT.format(error=error)
    screens.clear()
    screens.say(report)
    screens.say(left)
    screens.say(voice.KEYS)
    return screens.choose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
