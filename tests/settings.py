"""The site's settings for tests: the same module, fed from an environment of the tests' own.

The first process of a run makes the run's folder; workers and servers that tests start inherit its environment.
"""

import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "var" / "test"
OURS = (
    "DATABASE_URL", "MIGRATION_DATABASE_URL", "DATABASE_ROLE", "CELERY_BROKER_URL", "CACHE_URL", "SEARCH_ENGINE",
    "ELASTICSEARCH_URL", "SEARCH_INDEX", "PAYMENT_PROVIDERS", "STRIPE_API_KEY", "STRIPE_API_BASE",
    "STRIPE_WEBHOOK_SECRET",
    "WECHATPAY_MCHID", "WECHATPAY_APPID", "WECHATPAY_CERT_SERIAL", "WECHATPAY_PRIVATE_KEY_FILE", "WECHATPAY_APIV3_KEY",
    "WECHATPAY_PUBLIC_KEY_FILE", "WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_API_BASE",
    "SECRET_KEY", "FIELD_KEY_FILE", "LOG_SIGNING_KEY_FILE", "SITE_URL", "EMAIL_URL", "EMAIL_FROM", "ALLOWED_HOSTS",
    "PROXY_HOPS", "METRICS_TOKEN", "DOCUMENT_FONT", "STATIC_DIR", "PORT", "DEBUG", "LOG_LEVEL",
    "WEB_WORKERS", "CRASH_AT",
)  # fmt: skip


def sweep() -> None:
    """This will delete folders of runs whose process has gone (their watchdog was killed as well)."""
    for folder in STORE.glob("run-*"):
        pid = folder.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            shutil.rmtree(folder, ignore_errors=True)


if "TEST_RUN_DIR" not in os.environ:
    STORE.mkdir(parents=True, exist_ok=True)
    sweep()
    run = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=STORE))
    run.chmod(0o755)
    # A cluster that is given is for the tests that ask for one, under names of their own; the site's default stays.
    if os.environ.get("ELASTICSEARCH_URL"):
        os.environ["TEST_ELASTICSEARCH_URL"] = os.environ["ELASTICSEARCH_URL"]
    for name in OURS:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(
        TEST_RUN_DIR=str(run),
        MODE="demonstration",
        DATA_DIR=str(run),
        PORT="8000",
        CELERY_BROKER_URL="memory://",
        CACHE_URL="locmem:",
        SITE_URL="http://testserver",
        LOG_LEVEL="WARNING",
    )

from charity_site.settings import *  # noqa: E402, F403  (after the environment is set)
from charity_site.stack import keys as _keys  # noqa: E402

_folder = Path(os.environ["TEST_RUN_DIR"]) / "keys"
_keys.make_passwords(_folder)
_keys.make_key_files(_folder)

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1", "[::1]"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
