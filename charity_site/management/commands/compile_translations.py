from __future__ import annotations

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


def merged(language: Path) -> polib.POFile:
    """This will gather a language's parts/*.po (and django.po, where there is one) in one catalogue.

    Raises CommandError when two parts translate one text differently, or a part can't be read.
    """
    whole = polib.POFile()
    whole.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": language.name,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    seen: dict[tuple[str, str], tuple[polib.POEntry, str]] = {}
    base = language / "LC_MESSAGES" / "django.po"
    for path in [*([base] if base.exists() else []), *sorted((language / "parts").glob("*.po"))]:
        try:
            entries = polib.pofile(str(path), encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} can't be read: {error}") from error
        for entry in entries:
            if entry.obsolete or not entry.translated() or "fuzzy" in entry.flags:
                continue
            key = (entry.msgctxt or "", entry.msgid)
            if key in seen:
                first, where = seen[key]
                if (first.msgstr, first.msgstr_plural) != (entry.msgstr, entry.msgstr_plural):
                    raise CommandError(
                        f"{entry.msgid!r} is translated differently in {where} and {path.name}. Make them one, or give "
                        "one of them a context (pgettext)."
                    )
                continue
            seen[key] = (entry, path.name)
            whole.append(entry)
    return whole


class Command(BaseCommand):
    help = (
        "Merge locale/<language>/parts/*.po and compile them. Example: python manage.py compile_translations"
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for language in sorted(path for path in Path(folder).glob("*") if (path / "parts").is_dir()):
                whole = merged(language)
                target = language / "LC_MESSAGES" / "django.mo"
                target.parent.mkdir(exist_ok=True)
                whole.save_as_mofile(str(target))
                self.stdout.write(f"{language.name}: {len(whole)} texts")
