"""The face that has the whole terminal: drawn with Textual, for a console of 80 by 25 and up, by keyboard only.

    start        whether this terminal can show it, and the way into it
    driver       the terminal itself: glyphs that its font has, no polling, an end when it hangs up
    app          what happens when: keys, commands, answers
    chat         the main screen, with ``transcript``, ``draft`` and ``markdown``
    dialogs      what a command asks, a screen each; ``face`` lets a command in a thread of its own wait for them

Everything that draws runs in one thread, Textual's. Commands and answers run in others, and only ``face`` and
``turns`` cross over.
"""
