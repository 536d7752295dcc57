"""HTML as calendar pages write it into descriptions, turned into plain text.

Google's own page stores `<br>`, `<p>`, links and entities; other programs store plain text in the same field, and say
in neither case which. Therefore only the tags such pages write are taken for tags: `<ann@example.org>` and `a < b`
stay as they are. Pure.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_BREAKS: Final = re.compile(
    r"</?(?:br|p|div|ul|ol|li|h[1-6]|tr|table|tbody|blockquote|hr|pre|html-blob)\b[^<>]*>", re.IGNORECASE
)
_OTHERS: Final = re.compile(
    r"</?(?:a|b|i|u|s|em|strong|span|font|code|small|big|sub|sup|td|th|thead|img|body|html|head|meta|title|strike|wbr)"
    r"(?:\s[^<>]*|/)?>",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_LINE_END: Final = re.compile(r"\r\n?|[\u2028\u2029]")
_UNTOLD: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_EMPTY_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def plain(text: str) -> str:
    """Return a description as plain text: lines end with a line feed, and no control characters are in it.

    Lines of HTML become lines, links their text, entities their characters.
    """
    text = _LINE_END.sub("\n", text)
    if "<" in text:
        text = _COMMENT.sub("", text)
        text = _HIDDEN.sub("", text)
        text = _OTHERS.sub("", _BREAKS.sub("\n", text))
    if "&" in text:
        from html import unescape

        text = _LINE_END.sub("\n", _ENTITY.sub(lambda entity: unescape(entity[0]), text))
    text = _UNTOLD.sub("", text.replace("\N{NO-BREAK SPACE}", " "))
    return _EMPTY_LINES.sub("\n\n", text).strip()
