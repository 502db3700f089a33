"""What the fields, states and problems of finance are called."""

from shared.ui.words import Words

WORDS = Words(names={}, problems={})
