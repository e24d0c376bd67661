"""Which providers are configured. The only place that turns a name into a provider."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from apps.core.errors import NotFound
from apps.payments.provider import MonthlyProvider, Provider


@cache
def _make(name: str) -> Provider:
    if name == "sandbox":
        from apps.payments.providers.sandbox import SandboxProvider

        return SandboxProvider()
    if name == "stripe":
        from apps.payments.providers.stripe import StripeProvider

        return StripeProvider()
    if name == "wechatpay":
        from apps.payments.providers.wechat import WechatPay

        return WechatPay()
    raise NotFound()


def provider(name: str) -> Provider:
    """This will give a configured provider by name; raises NotFound for any other."""
    if name not in settings.PAYMENT_PROVIDERS:
        raise NotFound()
    return _make(name)


def providers() -> list[Provider]:
    """This will list the configured providers, the first one preferred."""
    return [_make(name) for name in settings.PAYMENT_PROVIDERS]


def offered_methods() -> dict[str, str]:
    """This will give {method: provider name}, in the order to show; the first provider that offers a method has it."""
    offered: dict[str, str] = {}
    for each in providers():
        for method in each.methods():
            offered.setdefault(str(method), each.name)
    return offered


def monthly_provider() -> MonthlyProvider | None:
    """This will give the first configured provider that collects every month by card, None where none does."""
    return next((each for each in providers() if isinstance(each, MonthlyProvider)), None)


def monthly_provider_of(name: str) -> MonthlyProvider:
    """This will give a configured provider that collects every month by name; raises NotFound for any other."""
    found = provider(name)
    if not isinstance(found, MonthlyProvider):
        raise NotFound()
    return found


def forget() -> None:
    """This will drop made providers, after settings changed (tests)."""
    _make.cache_clear()
