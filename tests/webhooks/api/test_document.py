"""Whatever the document lets a client send, the answer is one that the document declares, and never our fault."""

import threading
from collections.abc import Iterator

