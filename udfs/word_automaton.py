"""All of a list of words in a text at once: Aho and Corasick's automaton over the letters a to z.

Source:
    Aho and Corasick, Efficient string matching (CACM 1975), as a table with one transition for
    each state and letter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

LETTERS = 26


def word_automaton(
    bits_of_words: Mapping[str, int],
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """The automaton of some words of letters a to z.

    Args:
        bits_of_words: What each word says.
    Returns:
        The state that follows each state at each letter, shape (states, 26), the first state being
        that of the beginning and of any other character; and what the words say that end where a
        state is reached, shape (states,).
    """
    children: list[dict[int, int]] = [{}]
    bits = [0]
    for word, says in bits_of_words.items():
        state = 0
        for character in word:
            letter = ord(character) - ord("a")
            if not 0 <= letter < LETTERS:
                raise ValueError(f"{word!r} has other characters than the letters a to z")
            if letter not in children[state]:
                children[state][letter] = len(children)
                children.append({})
                bits.append(0)
            state = children[state][letter]
        bits[state] |= says
    following = np.zeros((len(children), LETTERS), dtype=np.int16)
    longest_end = [0] * len(children)  # the state of the longest word's beginning that ends each
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        bits[state] |= bits[longest_end[state]]
        for letter in range(LETTERS):
            other = following[longest_end[state], letter] if state else 0
            child = children[state].get(letter)
            if child is None:
                following[state, letter] = other
            else:
                following[state, letter] = child
                longest_end[child] = int(other)
                waiting.append(child)
    return following, np.array(bits, dtype=np.uint8)
