"""The text on a virtual terminal, as the kernel's vcsu and vcsa devices show it (vcs(4))."""

# Two bytes with the size (rows, columns), then the screen: four bytes a character in the machine's byte order.
# vcs would be one byte a character, an index into the font, which is not its Unicode code point.
READ_SCREEN = "head -c 2 /dev/vcsa{vc} && cat /dev/vcsu{vc}"


def screen_text(data: bytes) -> str:
    """Turn what `READ_SCREEN` wrote into lines, without the blanks at their ends and the empty ones at the bottom."""
    columns = data[1]
    text = data[2:].decode("utf-32-le", errors="replace").replace("\0", " ")
    lines = [text[start : start + columns].rstrip() for start in range(0, len(text), columns)]
    return "\n".join(lines).rstrip("\n")
