"""WeChat Pay, API v3, native pay: a code that the donor scans. Signed both ways, notifications encrypted."""

from apps.payments.providers.wechat.adapter import WechatPay

__all__ = ["WechatPay"]
