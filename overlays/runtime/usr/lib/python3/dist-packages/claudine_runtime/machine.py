"""What a machine has for a model, as it is seen in the runtime's sandbox, which hides /proc/meminfo."""

import os


def total_memory_bytes() -> int:
    """Return the machine's memory, as MemTotal has it: sysinfo(2), in glibc's words."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def count_cores(root: str = "/") -> int:
    """Return the number of cores this process may use. Two threads of one core share what computes: they are one."""
    processors = os.sched_getaffinity(0)
    cores = set()
    for processor in processors:
        try:
            with open(f"{root}sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list") as file:
                cores.add(file.read())
        except OSError:
            return len(processors)
    return len(cores)


def wanted_backend(root: str = "/") -> str:
    """Return what the image is to compute on, in the word that an overlay for graphics cards leaves: cpu if none."""
    try:
        with open(f"{root}usr/share/claudine/gpu") as file:
            return file.read().strip() or "cpu"
    except OSError:
        return "cpu"
