"""The plain face: a conversation in flat text, line by line, for serial lines, screen readers, pipes and scripts."""
