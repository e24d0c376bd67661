"""What every workbench view does with a refusal: shown where the person is, nothing lost, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from apps.core.errors import DomainError, add_to_form

T = TypeVar("T")


def typed(request: HttpRequest, name: str, longest: int = 300) -> str:
    """This will read a plain text field of a button's form, without what no database text may hold."""
    return request.POST.get(name, "").replace("\x00", "").strip()[:longest]


def attempt(request: HttpRequest, act: Callable[[], object], said: str) -> bool:
    """This will run one operation for a button: a message of success, or the refusal as a message. True when done."""
    try:
        act()
    except DomainError as error:
        messages.error(request, str(error.message))
        return False
    messages.success(request, said)
    return True


def attempt_form(form: forms.Form, act: Callable[[], T]) -> T | None:
    """This will run one operation for a valid form; a refusal goes onto the form and None comes back."""
    try:
        return act()
    except DomainError as error:
        add_to_form(form, error)
        return None
