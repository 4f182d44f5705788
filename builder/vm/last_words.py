"""Why a boot failed before anything could be asked: the guest's journal, on the serial line.

A root that the kernel refuses leaves nobody to ask, and a kernel that boots quietly has said nothing. So a unit that
comes as a credential writes the journal to the serial line when the initrd cannot set up the root, or systemd gives
up. It exists in a machine that was started for a test, like the shell, and nowhere else.
"""

UNIT = "claudineos-last-words.service"
LINES = 400
# The unit that sets up the verity root, and the target that systemd falls back to.
ROOT_UNIT = "systemd-veritysetup@root.service"
GIVEN_UP = "emergency.target"


def last_words_credentials() -> dict[str, str]:
    """Return the credentials (name → text) that make a failing guest explain itself."""
    unit = f"""\
[Unit]
Description=Journal of a boot that failed
DefaultDependencies=no
# What comes next is a prompt; the reason should stand before it.
Before=emergency.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c "journalctl --boot --no-pager --output=short-monotonic --lines={LINES} >/dev/ttyS0"
"""
    return {
        f"systemd.extra-unit.{UNIT}": unit,
        f"systemd.unit-dropin.{ROOT_UNIT}": f"[Unit]\nOnFailure={UNIT}\n",
        f"systemd.unit-dropin.{GIVEN_UP}": f"[Unit]\nWants={UNIT}\n",
    }
