"""`Features` and `TokensInText`: what a text half makes of texts."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["WINDOW_OF", "Features", "TokensInText"]

Features = dict[str, tf.Tensor]
WINDOW_OF = "window_of"  # the name of a feature


class TokensInText(NamedTuple):
    """The tokens of some texts, end to end, with their places in the texts.

    Args:
        ids: The token ids, int32 [tokens * ids_per_token].
        lengths: The number of tokens of each text, int64 [batch].
        starts: The offset of each token's first byte, int64 [tokens]. Bytes count in the text with
            U+FFFD in place of invalid UTF-8, as from `replace_invalid_utf8`.
        ends: The offset after its last byte, int64 [tokens].
        continues: Whether a token continues the word of the token before it, bool [tokens].
        in_web_word: Whether a token continues a handle or an address, bool [tokens]; see
            `continue_web_words`. Only `tokens_in_text` finds it.
    """

    ids: Any
    lengths: Any
    starts: Any
    ends: Any
    continues: Any
    in_web_word: Any = None
