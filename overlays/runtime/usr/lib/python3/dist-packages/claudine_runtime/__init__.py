"""Models as images: how much of the machine one gets, which are here, which of them answers.

``plan``, ``machine`` and ``launch`` run before the disk is open, where each module costs a slow machine a moment: they
import next to nothing.
"""
