"""A message as an e-mail: the first text is the subject, the others are paragraphs, a link is a button."""

import html

from conversations.incoming import clean
from conversations.texts import Style, render
from core.messaging.messages import Message, Say, say

HTML = Style(escape=html.escape, bold=("<b>", "</b>"))


def subject(message: Message, language: str) -> str:
    return " ".join(clean(render(message.says[0], language)).split())


def as_text(message: Message, language: str, shop: str) -> str:
    paragraphs = [render(text, language) for text in message.says[1:]]
    if message.link is not None:
        paragraphs.append(f"{render(message.link.label, language)}: {message.link.url}")
    footer = "\n".join(render(text, language) for text in _footer(shop))
    return "\n\n".join([*paragraphs, f"-- \n{footer}\n"])


def as_html(message: Message, language: str, shop: str) -> str:
    texts = (render(text, language, HTML).replace("\n", "<br>\n") for text in message.says[1:])
    paragraphs = [_PARAGRAPH.format(text=text) for text in texts]
    if message.link is not None:
        label = render(message.link.label, language, HTML)
        paragraphs.append(_BUTTON.format(url=html.escape(message.link.url), label=label))
    return _PAGE.format(
        language=language,
        subject=html.escape(subject(message, language)),
        shop=html.escape(shop),
        paragraphs="\n".join(paragraphs),
        footer="<br>\n".join(render(text, language, HTML) for text in _footer(shop)),
    )


def _footer(shop: str) -> tuple[Say, Say]:
    return say("mail.automatic", shop=shop), say("mail.reply")


# E-mail clients drop style sheets, so every element has its own style.
_PARAGRAPH = '<p style="margin:0 0 16px">{text}</p>'
_BUTTON = """\
<p style="margin:8px 0 24px"><a href="{url}" style="display:inline-block;padding:12px 28px;border-radius:8px;\
background:#10345c;color:#ffffff;font-weight:600;text-decoration:none">{label}</a></p>"""
_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{subject}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f3f5f8;color:#111827;\
font:16px/1.6 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:560px;margin:0 auto;border-radius:12px;overflow:hidden;background:#ffffff">
<div style="padding:18px 28px;background:#10345c;color:#ffffff;font-size:18px;font-weight:600">{shop}</div>
<div style="padding:26px 28px 12px">
{paragraphs}
</div>
</div>
<p style="max-width:560px;margin:16px auto 0;padding:0 28px;box-sizing:border-box;color:#6b7280;font-size:13px">\
{footer}</p>
</body>
</html>
"""
