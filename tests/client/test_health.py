"""Memory, temperature and time, as the kernel says them."""

from pathlib import Path

import pytest

from claudine.commands.proof import _temperature
from claudine.health import Health, Sensor, look
from claudine.voice.proof import days


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_machine_with_sensors(tmp_path: Path) -> None:
    put(tmp_path, "proc/meminfo", "MemTotal:        4000000 kB\nMemFree: 1 kB\nMemAvailable:    1000000 kB\n")
    put(tmp_path, "proc/uptime", "3700.25 100.00\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/name", "k10temp\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/temp1_input", "61250\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/temp1_label", "Tc\x1btl\n")
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "27800\n")
    put(tmp_path, "sys/class/thermal/thermal_zone0/type", "acpitz\n")
    found = look(tmp_path)
    assert (found.memory_bytes, found.memory_free_bytes, found.up_s) == (4096000000, 1024000000, 3700.25)
    assert found.sensors == (Sensor("Tctl", 61.25), Sensor("acpitz", 27.8))
    assert _temperature(found) == "61 degrees Celsius (Tctl)"


def test_a_machine_without_any(tmp_path: Path) -> None:
    assert look(tmp_path) == Health()
    assert _temperature(Health()) == "no sensor"


@pytest.mark.parametrize("text", ["", "hot", "-273150", "999000000", "nan", "inf"])
def test_a_sensor_that_says_nonsense_is_left_out(tmp_path: Path, text: str) -> None:
    put(tmp_path, "sys/class/hwmon/hwmon0/temp1_input", text)
    assert look(tmp_path).sensors == ()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "0 min"), (3599, "59 min"), (3700, "1 h 1 min"), (90000, "1 day 1 h 0 min"), (200000, "2 days 7 h 33 min")],
)
def test_how_long_it_has_been_on(seconds: float, said: str) -> None:
    assert days(seconds) == said
