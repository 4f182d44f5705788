"""The screen face: the whole terminal, drawn with Textual."""
