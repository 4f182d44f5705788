"""What Claudine says of what can be checked: each sentence stands beside the words of the kernel that it is about."""

from claudine.voice import counted, size

FACTS_UNREADABLE = "unknown: I cannot read my own network in /proc"
FACTS_NOT_THE_RUNTIMES = "only lo, no route; my runtime is not seen here"

PROVE_COMMAND = "Check what this machine promises, in front of you"
RECEIPT_COMMAND = "Show how the last answer was made"
ABOUT_COMMAND = "Show image, model, engine and licences"
STATUS_COMMAND = "Show how this machine is"

PROVING = "I am looking"
PROOF = "What you can check"
PROOF_INTRODUCTION = """\
Each step names the command or the file first, then what the kernel answers,
then what that means. The commands are those that an engineer would type.
"""
PROOF_LIMITS = """\
All of this is this machine's own word, and its signed start is what vouches
for it. From outside you can check two things: that the fingerprint above is
that of your own certificate, and that no frame leaves the network port.
"""
NO_WITNESS = "Nobody can look as root here: there is no service at {path}."
NOBODY_LOOKED = "I could not have it looked at, so nothing is proven. {reason}"
PASSED, FAILED = "Passed", "FAILED"
NOT_SEEN = "not to be seen"

SECURE_BOOT = "Secure Boot"
SECURE_BOOT_ON = "The firmware starts only what is signed with a key that it trusts."
SECURE_BOOT_OFF = (
    "The firmware does not check what it starts, or does not say so: something else may have started before me."
)

ROOT = "The system on the disk"
ROOT_VERIFIED = (
    "The signed kernel image names this root hash, the kernel uses the same one with a signature, and checks each "
    "block of my system against it when it is read."
)
ROOT_UNVERIFIED = "The kernel does not check my system against a signed root hash: it may have been changed."

SIGNER = "Who signed it"
SIGNER_FOUND = (
    "I checked the signature over the root hash with each certificate that the firmware trusts, and this one made it. "
    "It should be yours: openssl x509 -noout -fingerprint -sha256 -in verity.crt"
)
SIGNER_UNKNOWN = "None of the certificates that the firmware trusts made the signature over the root hash."

KERNEL = "The kernel"
KERNEL_LOCKED = "The kernel is locked down: not even root changes it while it runs."
KERNEL_OPEN = "The kernel is not locked down: root could change it while it runs."

NETWORK = "My runtime's network"
NETWORK_EMPTY = (
    "My runtime is in a network of its own, and I am in the same one. In it is lo, which leads back to itself, "
    "and no route. {sent_bytes} bytes were sent, by all interfaces together, since it was made."
)
NETWORK_OPEN = "My runtime's network has more in it than lo: {facts}."
NETWORK_NOT_OWN = "My runtime is in the network of the whole machine, not in one of its own."
NETWORK_ANOTHER = "I am not in the network of my runtime, so what my status line says is not about it."
NETWORK_UNKNOWN = "I cannot see the network of my runtime: it does not run, or nobody looked."

SOCKETS = "A socket of my own"
SOCKETS_REFUSED = "The kernel gives me no socket that could name a network, so I cannot even try to send."
SOCKETS_GIVEN = "Nothing keeps me from opening a network socket."

CONNECTING = "An attempt to connect out"
CONNECTING_REFUSED = (
    "A program in my runtime's network, which may open sockets, tried to reach addresses outside. The kernel knows no "
    "way to them."
)
CONNECTING_POSSIBLE = "What was sent to addresses outside was not refused: there is a way out, or something hides it."
CONNECTING_ELSEWHERE = "The attempt was made from another network than that of my runtime, so it says nothing."
CONNECTING_UNTRIED = "I could not have it tried. {reason}"

MODEL = "My model"
MODEL_SIGNED = "in an image with root hash {root_hash}\nsigned by {signer}, SHA-256 {sha256}"
MODEL_SAME = (
    "The weights that my runtime has read are, bit for bit, what this image was built with: {title}. The kernel checks "
    "each block of their own image, and takes one only if it is signed with a key that the firmware trusts."
)
MODEL_OTHER = "The weights that my runtime has read are not what this image was built with: {title}."
MODEL_ADDED = (
    "{model} did not come with this image. The kernel takes its image, and each block of it, because it is signed with "
    "a key that the firmware trusts."
)
MODEL_UNSIGNED = "{model} did not come with this image, and I do not see who signed it."
MODEL_UNREADABLE = "I could not have the weights read that my runtime has loaded. {reason}"
MODEL_UNRECORDED = "This is no ClaudineOS image: nothing records which model it was built with."
THROUGH = "it went through"

RECEIPT = "Receipt"
NO_ANSWER_YET = "I have not answered anything here yet, so there is no receipt."
NO_TRACE = "not recorded"
ANOTHER_MODEL = "not read, because another model is in use now"
RECEIPT_NOTE = """\
Model, engine, tokens and seconds were noted when the answer was made; the
rest is as it is now. /prove shows where it is from, and checks it.
"""

ABOUT = "About this machine"
NO_IMAGE = "none: this is not a ClaudineOS machine"
ABOUT_NOTE = """\
/prove computes the model's SHA-256 anew and compares it with this one. The
licences of the programs are in the image: /usr/share/doc/*/copyright and
/usr/share/common-licenses.
"""

STATUS = "How this machine is"
NO_SENSOR = "no sensor"
UNKNOWN = "unknown"


def sealed(sent_bytes: int) -> str:
    """Say that nothing leaves. What lo has carried stayed on the machine, and is told all the same."""
    return f"LOCAL: only lo, no route, {sent_bytes} bytes sent" + (", to itself" if sent_bytes else "")


def not_sealed(interfaces: int, routes: int) -> str:
    """Say that there are ways out."""
    return f"not sealed: {counted(interfaces, 'interface')}, {counted(routes, 'route')}"


def all_passed(count: int) -> str:
    """Say that every check passed."""
    return f"All {count} checks passed."


def some_failed(failed: list[str], count: int) -> str:
    """Say which checks failed."""
    return f"{len(failed)} of {count} checks failed: {', '.join(failed)}."


def used(free_bytes: int, size_bytes: int) -> str:
    """Say how full something is."""
    percent = 100 * (size_bytes - free_bytes) // max(1, size_bytes)
    return f"{size(size_bytes - free_bytes)} of {size(size_bytes)} used ({percent} %)"


def routes(count: int) -> str:
    """Say how many ways lead out."""
    return str(count) if count else "none"


def degrees(celsius: float) -> str:
    """Say a temperature; the console has no sign for degrees that all fonts share."""
    return f"{celsius:.0f} degrees Celsius"


def days(seconds: float) -> str:
    """Say how long a machine has been on."""
    minutes = int(seconds) // 60
    hours, minutes = divmod(minutes, 60)
    whole_days, hours = divmod(hours, 24)
    parts = [counted(whole_days, "day"), f"{hours} h", f"{minutes} min"]
    return " ".join(parts[0 if whole_days else 1 if hours else 2 :])
