"""Every mistake in a profile gets one error: where it is, what is wrong, what would be right."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.profile import load_profile

Write = Callable[[str, str], Path]

SHA = "a" * 64

# (what the profile says from its fourth line on, line:column, what is said, what is advised)
MISTAKES = [
    # Keys
    ("extends: base\nstorge:\n  unlock: tpm2\n", "5:1", "unknown key 'storge'", "Did you mean storage?"),
    ("extends: base\nboot: {consle: [tty1]}\n", "5:8", "unknown key 'consle' in boot", "Did you mean console?"),
    (
        "extends: base\nboot:\n  drive: 1\n",
        "6:3",
        "unknown key 'drive' in boot",
        "enroll_keys, import_credentials, kernel_arguments",
    ),
    ("extends: base\nschema_version: 1\n", "5:1", "unknown key 'schema_version'", "Did you mean schema?"),
    ("extends: base\nclient: {greeting: hi}\n", "5:10", "unknown key 'greeting' in client", "Keys of client: consoles"),
    ("extends: base\nmodel: {nane: x}\n", "5:9", "unknown key 'nane' in model", "mean name?"),
    ("extends: base\nconsole: [tty0]\n", "5:1", "unknown key 'console'", "console is a key of boot"),
    # Types
    ("extends: base\nimage: {version: 0.1}\n", "5:18", "image.version must be text", 'quotes, as in "0.1.0"'),
    ("extends: base\nimage: {version: 1}\n", "5:18", "must be text, not the number 1", 'quotes, as in "0.1.0"'),
    ("extends: base\nboot: tty0\n", "5:7", "boot must be a mapping (key: value lines), not 'tty0'", "firmware"),
    ("extends: base\nboot:\n", "5:6", "boot must be a mapping (key: value lines), not empty", ""),
    ("extends: base\nclient: {consoles: tty1}\n", "5:20", "client.consoles must be a list, not 'tty1'", "[tty1]"),
    ("extends: base\npackages: {vim: 1}\n", "5:11", "packages must be a list, not a mapping", "Debian packages"),
    ("extends: base\npackages: [vim, 7]\n", "5:17", "packages[1] must be text, not the number 7", "in quotes"),
    ("extends: base\npackages: [true]\n", "5:12", "packages[0] must be text, not true", "in quotes"),
    ("extends: base\nstorage: {esp_size_mib: '256'}\n", "5:25", "must be a whole number, not '256'", "256"),
    ("extends: base\nstorage: {esp_size_mib: 256.5}\n", "5:25", "must be a whole number", "256"),
    ("extends: base\nstorage: {esp_size_mib: true}\n", "5:25", "must be a whole number, not true", "256"),
    ("extends: [base]\n", "4:10", "extends must be text, not a list", "Name of the profile"),
    # Values
    ("extends: base\nstorage: {esp_size_mib: 63}\n", "5:25", "must be at least 64, not the number 63", "MiB"),
    ("extends: base\nstorage: {unlock: fingerprint}\n", "5:19", "storage.unlock cannot be 'fingerprint'", "passphrase"),
    ("extends: base\nboot: {enroll_keys: if_safe}\n", "5:21", "cannot be 'if_safe'", "Did you mean if-safe?"),
    ("extends: base\nhardware: {architecture: x86_64}\n", "5:26", "cannot be 'x86_64'", "Did you mean x86-64?"),
    ("extends: base\nhardware: {minimum_processor: v3}\n", "5:31", "cannot be 'v3'", "x86-64-v3"),
    ("extends: base\nhardware: {gpu: cuda}\n", "5:17", "hardware.gpu cannot be 'cuda'", "vulkan"),
    ("extends: base\nhardware: {gpu: vulkan, gpu_device: GPU0}\n", "5:37", "cannot be 'GPU0'", "Vulkan0"),
    ("extends: base\nhardware: {gpu_device: Vulkan0}\n", "5:24", "hardware.gpu uses none", "null"),
    ("extends: base\nboot: {microsoft_certificates: yes}\n", "5:32", "must be true or false", ""),
    ("extends: base\nnetwork: {mode: no}\n", "5:17", "network.mode cannot be 'no'", "none"),
    ("extends: base\nnetwork: {mode: lan}\n", "5:17", "network.mode cannot be 'lan' yet", "Use none"),
    ("extends: base\nimage: {id: Claudine OS}\n", "5:13", "image.id cannot be 'Claudine OS'", "example: claudineos"),
    ("extends: base\nimage: {version: '1_0'}\n", "5:18", "image.version cannot be '1_0'", "example: 0.1.0"),
    ("extends: base\nimage: {source_date: 1.11.2026}\n", "5:22", "must be a date written YYYY-MM-DD", "2026-11-01"),
    ("extends: base\nimage: {source_date: 2026-02-30}\n", "5:22", "'2026-02-30' is not in the calendar", ""),
    ("extends: base\nimage: {source_date: 1970-01-01}\n", "5:22", "is too early", "1980"),
    ("extends: base\ndistribution: {release: Forky}\n", "5:25", "cannot be 'Forky'", "forky"),
    ("extends: base\ndistribution: {snapshot: 20261301T000000Z}\n", "5:26", "is not in the calendar", ""),
    ("extends: base\ndistribution: {mirror: debian}\n", "5:24", "starts with http:// or https://", ""),
    ("extends: base\ndistribution: {mirror: 'http://[x'}\n", "5:24", "is not a web address", ""),
    ("extends: base\ndistribution: {mirror: 'http://h/debian?x'}\n", "5:24", "no ? and no #", ""),
    ("extends: base\nboot: {console: [ttyS0, com1]}\n", "5:25", "boot.console[1] cannot be 'com1'", "ttyS0"),
    ("extends: base\nclient: {consoles: [tty0]}\n", "5:21", "client.consoles[0] cannot be 'tty0'", "tty1"),
    ("extends: base\nclient: {consoles: [/dev/tty2]}\n", "5:21", "cannot be '/dev/tty2'", "without /dev"),
    ("extends: base\nhardware: {kernel_modules: [host]}\n", "5:29", "depend on the machine that builds it", ""),
    ("extends: base\nhardware: {kernel_modules: ['a b']}\n", "5:29", "cannot be 'a b'", "glob"),
    ("extends: base\noverlays: [Base]\n", "5:12", "overlays[0] cannot be 'Base'", "folder under overlays/"),
    ("extends: base\npackages: [vim=2:9.1]\n", "5:12", "cannot be 'vim=2:9.1'", "name alone"),
    ("extends: base\npackages: [vim, nano, vim]\n", "5:23", "packages[2] repeats vim", "Keep one"),
    # Kernel arguments
    ("extends: base\nboot: {kernel_arguments: [a b]}\n", "5:27", "cannot be 'a b'", "without spaces"),
    ("extends: base\nboot: {kernel_arguments: [root=/dev/sda]}\n", "5:27", "must not hold root=/dev/sda", ""),
    ("extends: base\nboot: {kernel_arguments: [a, rdinit=/bin/sh]}\n", "5:30", "must not hold rdinit=/bin/sh", ""),
    ("extends: base\nboot: {kernel_arguments: [single]}\n", "5:27", "must not hold single", ""),
    ("extends: base\nboot: {kernel_arguments: [rd.systemd.unit=x]}\n", "5:27", "must not hold rd.systemd.unit=x", ""),
    ("extends: base\nboot: {kernel_arguments: [systemd.debug-shell]}\n", "5:27", "must not hold", "let an overlay"),
    ("extends: base\nboot: {kernel_arguments: [dm-verity.x=0]}\n", "5:27", "must not hold dm-verity.x=0", ""),
    ("extends: base\nboot: {kernel_arguments: [console=hvc0]}\n", "5:27", "must not hold", "into boot.console"),
    ("extends: base\nboot: {kernel_arguments: [a_b=1, a-b=2]}\n", "5:34", "sets a_b a second time, after a_b=1", ""),
    # The model
    ("extends: base\nmodel: {name: tyny}\n", "5:15", "there is no model 'tyny' in the catalogue", "mean tiny?"),
    ("extends: base\nmodel: {name: ../tiny}\n", "5:15", "model.name cannot be '../tiny'", "without .yaml"),
    ("extends: base\nmodel: {context_tokens: 511}\n", "5:25", "must be at least 512, not the number 511", "2048"),
    ("extends: base\nmodel: {sha256: x}\n", "5:9", "unknown key 'sha256' in model", "Keys of model"),
    ("extends: base\nhardware: {memory_mib: 512}\n", "5:24", "must be at least 1536, not the number 512", "2048"),
]


@pytest.mark.parametrize(("says", "place", "said", "advised"), MISTAKES)
def test_a_mistake_is_reported_where_it_stands(
    profiles: Path, write: Write, says: str, place: str, said: str, advised: str
) -> None:
    path = write("mine", says)
    with pytest.raises(BuilderError) as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{path}:{place}"
    assert said in error.value.message
    assert advised in error.value.hint
    assert not re.search(r"pydantic|Input should|Traceback|https?://errors", str(error.value))


# (the whole file mine.yaml, line:column, what is said, what is advised)
BAD_HEADS = [
    ("name: mine\ndescription: x\n", ":1:1", "schema, the version of the file format, is missing", "schema: 1"),
    ("schema: 2\nname: mine\n", ":1:9", "this builder reads schema 1, and the file says 2", "schema: 1"),
    ("schema: '1'\nname: mine\n", ":1:9", "reads schema 1, and the file says '1'", "schema: 1"),
    ("schema: true\nname: mine\n", ":1:9", "reads schema 1, and the file says True", "schema: 1"),
    ("schema: 1\ndescription: x\nextends: base\n", ":1:1", "name is missing", "its own name"),
    ("schema: 1\nname: mine\nextends: base\n", ":1:1", "description is missing", "its own description"),
    ("schema: 1\nname: your\ndescription: x\n", ":2:7", "is named 'your', its file 'mine.yaml'", "name: mine"),
    ("schema: 1\nname: My One\ndescription: x\n", ":2:7", "name cannot be 'My One'", "example: qemu"),
    ("schema: 1\nname: mine\ndescription: |\n  a\n  b\n", ":3:14", "description cannot be", "in one line"),
    ("schema: 1\nname: mine\ndescription: x\nextends: bsae\n", ":4:10", "no profile 'bsae' to extend", "mean base?"),
    ("schema: 1\nname: mine\ndescription: x\nextends: mine\n", ":4:10", "mine → mine", "Take one extends away"),
    ("schema: 1\nname: mine\ndescription: x\nextends: ../base\n", ":4:10", "extends cannot be '../base'", "Name"),
]


@pytest.mark.parametrize(("text", "place", "said", "advised"), BAD_HEADS)
def test_a_profile_says_what_it_is(profiles: Path, text: str, place: str, said: str, advised: str) -> None:
    path = profiles / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BuilderError) as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{path}{place}"
    assert said in error.value.message
    assert advised in error.value.hint


def test_a_missing_key_is_named_and_placed_in_the_file_that_was_asked_for(profiles: Path, write: Write) -> None:
    base = profiles / "base.yaml"
    base.write_text(base.read_text().replace("name: tiny, context_tokens: 2048", "name: tiny"))
    mine = write("mine", "extends: base\n")
    with pytest.raises(BuilderError, match=r"model\.context_tokens is missing") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == str(mine)
    assert "For example: 2048" in error.value.hint


def test_a_missing_key_is_placed_at_its_section_where_the_file_has_it(profiles: Path, write: Write) -> None:
    base = profiles / "base.yaml"
    base.write_text(base.read_text().replace("name: tiny, context_tokens: 2048", "name: tiny"))
    mine = write("mine", "extends: base\nmodel:\n  name: other\n")
    with pytest.raises(BuilderError, match=r"model\.context_tokens is missing") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{mine}:5:1"


def test_a_section_that_nobody_writes_is_missing(profiles: Path, write: Write) -> None:
    write("alone", "")
    with pytest.raises(BuilderError, match="image is missing") as error:
        load_profile("alone", profiles)
    assert "What the image is called" in error.value.hint


def test_a_misspelt_key_is_reported_before_what_it_leaves_missing(profiles: Path, write: Write) -> None:
    path = write("alone", "image: {idd: x}\n")
    with pytest.raises(BuilderError, match="unknown key 'idd' in image") as error:
        load_profile("alone", profiles)
    assert str(error.value.location) == f"{path}:4:9"


def test_the_first_of_several_mistakes_is_reported(profiles: Path, write: Write) -> None:
    path = write("mine", "extends: base\nzebra: 1\nboot: {console: 3}\napple: 1\n")
    with pytest.raises(BuilderError, match="zebra") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{path}:5:1"


def test_a_mistake_in_a_parent_is_reported_in_the_parent_even_where_the_child_replaces_it(
    profiles: Path, write: Write
) -> None:
    base = profiles / "base.yaml"
    base.write_text(base.read_text().replace("esp_size_mib: 256", "esp_size_mib: 2"))
    write("mine", "extends: base\nstorage: {esp_size_mib: 512}\n")
    with pytest.raises(BuilderError, match="at least 64") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{base}:12:25"


@pytest.mark.parametrize("address", ["https://me:hunter2@example.org/debian", "ftp://me:hunter2@example.org/"])
def test_a_password_in_the_mirrors_address_is_refused_and_not_repeated(
    profiles: Path, write: Write, address: str
) -> None:
    write("mine", f"extends: base\ndistribution:\n  mirror: {address}\n")
    with pytest.raises(BuilderError, match="must not hold a user name or password") as error:
        load_profile("mine", profiles)
    assert "hunter2" not in str(error.value)


def test_a_label_too_long_for_a_partition_is_refused_at_the_version(profiles: Path, write: Write) -> None:
    path = write("mine", "extends: base\nimage:\n  version: '0.1.0-a-very-long-name-of-a-nightly'\n")
    with pytest.raises(BuilderError, match="more than 36 characters") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{path}:6:12"


def test_an_unknown_profile_is_answered_with_the_nearest(profiles: Path) -> None:
    with pytest.raises(BuilderError, match="there is no profile 'bsae'") as error:
        load_profile("bsae", profiles)
    assert error.value.hint == "Did you mean base? Profiles: base"


def test_an_absent_file_is_named(profiles: Path) -> None:
    with pytest.raises(BuilderError, match="no such file"):
        load_profile("./nowhere/x.yaml", profiles)
