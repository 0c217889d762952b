"""What people mean by what they type: pure readers of Indonesian chat and English.

    text ── spelling ──▶ words ── lexicon ──▶ names ── attributes, numbers, when ──▶ values ── intents ──▶ topics
         ── polarity ──▶ which values aren't wanted ── reading ──▶ Understanding, with every act of the line

Each reader replaces its words with a tag such as <car>, so that the next can't read them again.
"""

from conversations.understand.reading import understand
from conversations.understand.understanding import Understanding

__all__ = ["Understanding", "understand"]
