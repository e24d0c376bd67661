"""Every text that pages can show has its English translation, and every translation has its text.

python tools/check_translations.py [--list]     (--list prints the missing ones as .po entries)
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("MODE", "demonstration")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
CALL = re.compile(
    r"(?<![\w.])(_|gettext|ngettext|pgettext|npgettext)\(\s*((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*,?\s*)+)",
    re.S,
)
LITERAL = re.compile(r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.S)
Text = tuple[str, str]


def of_python(source: str) -> Iterator[Text]:
    """This will give (context, text) of a module's translated literals."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        words = [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if name in PLAIN and words:
            yield "", words[0]
        elif name in WITH_CONTEXT and len(words) > 1:
            yield words[0], words[1]


def of_template(source: str) -> Iterator[Text]:
    """This will give (context, text) of a template's translated texts, as Django itself finds them."""
    from django.utils.translation.template import templatize

    for name, arguments in CALL.findall(templatize(source)):
        words = [ast.literal_eval(word) for word in LITERAL.findall(arguments)]
        if name.startswith(("pg", "npg")) and len(words) > 1:
            yield words[0], words[1]
        elif words:
            yield "", words[0]


def used() -> dict[Text, str]:
    """This will give every text in use with the first file that uses it."""
    found: dict[Text, str] = {}
    for folder in ("apps", "cms", "search", "charity_site", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".py", ".html", ".txt", ".xml", ".svg") or "migrations" in path.parts:
                continue
            if path.suffix != ".py" and "templates" not in path.parts:
                continue
            source = path.read_text(encoding="utf-8")
            for text in of_python(source) if path.suffix == ".py" else of_template(source):
                if text[1].strip():
                    found.setdefault(text, str(path.relative_to(ROOT)))
    return found


def main() -> int:
    import django

    django.setup()
    from charity_site.management.commands.compile_translations import merged

    english = ROOT / "locale" / "en"
    translated = (
        {(entry.msgctxt or "", entry.msgid) for entry in merged(english)} if english.exists() else set()
    )
    texts = used()
    needed = {text for text in texts if re.search(r"[\u4e00-\u9fff]", text[1])}
    missing = sorted(needed - translated, key=lambda text: (texts[text], text))
    unused = sorted(translated - set(texts))
    for text in missing:
        if "--list" in sys.argv:
            import polib

            print(polib.POEntry(msgctxt=text[0] or None, msgid=text[1], msgstr="", comment=texts[text]))
        else:
            print(f"no English for {text[1]!r} ({texts[text]})")
    for text in unused:
        print(f"no longer used: {text[1]!r}")
    print(f"{len(texts)} texts, {len(missing)} without English, {len(unused)} translations without a text")
    return 1 if missing or unused else 0


if __name__ == "__main__":
    sys.exit(main())
