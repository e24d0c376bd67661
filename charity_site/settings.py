"""Settings of the site, read from the environment (docs/settings.md). A wrong one stops the start with what to do."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from charity_site.environment import Environment
from charity_site.logs import logging_config
from charity_site.stack.addresses import addresses
from charity_site.wechatpay import wrong_wechatpay

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

MODE = env.choice("MODE", "production", ["demonstration", "production"])
PRODUCTION = MODE == "production"
DEBUG = env.parsed("DEBUG", False, "bool", "0")
PORT = env.parsed("PORT", 8000, "int", "8000")
if not 1024 <= PORT <= 65533:
    env.wrong("PORT", "choose a port from 1024 to 65533; the embedded servers take the next two")
DATA_DIR = Path(env.text("DATA_DIR") or BASE_DIR / "var").absolute()
STATIC_ROOT = Path(env.text("STATIC_DIR") or DATA_DIR / "static").absolute()
STACK = addresses()
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def embedded(value: str) -> str:
    """This will give a default that only the demonstration has."""
    return "" if PRODUCTION else value


SECRET_KEY = env.text("SECRET_KEY", secret=True)
if not SECRET_KEY and not PRODUCTION:
    key_file = STACK.keys / "secret_key"
    SECRET_KEY = key_file.read_text().strip() if key_file.exists() else secrets.token_urlsafe(50)
FIELD_KEY_FILE = env.text("FIELD_KEY_FILE", embedded(str(STACK.keys / "field_keys.json")))
LOG_SIGNING_KEY_FILE = env.text("LOG_SIGNING_KEY_FILE", embedded(str(STACK.keys / "log_signing.pem")))
SITE_URL = env.text("SITE_URL", embedded(f"http://localhost:{STACK.port}")).rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", [] if PRODUCTION else LOOPBACK)
PROXY_HOPS = env.parsed("PROXY_HOPS", 1 if PRODUCTION else 0, "int", "1")
METRICS_TOKEN = env.text("METRICS_TOKEN", secret=True)
DOCUMENT_FONT = env.text("DOCUMENT_FONT")

APPLICATION_DATABASE_URL = env.text("DATABASE_URL", embedded(STACK.database_url("charity_app")), secret=True)
MIGRATION_DATABASE_URL = env.text(
    "MIGRATION_DATABASE_URL",
    APPLICATION_DATABASE_URL if env.text("DATABASE_URL") else embedded(STACK.database_url("charity_owner")),
    secret=True,
)
DATABASE_ROLE = env.choice("DATABASE_ROLE", "application", ["application", "owner"])
DATABASES = {
    "default": {
        **(
            env.database("MIGRATION_DATABASE_URL", MIGRATION_DATABASE_URL)
            if DATABASE_ROLE == "owner"
            else env.database("DATABASE_URL", APPLICATION_DATABASE_URL)
        ),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", embedded(STACK.broker_url), secret=True)
CACHE_URL = env.text("CACHE_URL", embedded(STACK.cache_url), secret=True)
CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if urlsplit(CACHE_URL).scheme in ("redis", "rediss", "valkey", "valkeys"):
    address = CACHE_URL.replace("valkey", "redis", 1) if CACHE_URL.startswith("valkey") else CACHE_URL
    CACHES["default"] = {"BACKEND": "charity_site.cache.PatientCache", "LOCATION": address}
elif CACHE_URL and CACHE_URL != "locmem:":
    env.wrong("CACHE_URL", "write redis://host:6379/1 or locmem:")

SEARCH_ENGINE = env.choice("SEARCH_ENGINE", "postgres", ["postgres", "elasticsearch"])
ELASTICSEARCH_URL = env.text("ELASTICSEARCH_URL", secret=True)
SEARCH_INDEX = env.text("SEARCH_INDEX", "uses")
if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", SEARCH_INDEX):
    env.wrong("SEARCH_INDEX", "up to 40 small letters, digits and _, a letter first")
PAYMENT_PROVIDERS = env.words(
    "PAYMENT_PROVIDERS", [] if PRODUCTION else ["sandbox"], ["sandbox", "stripe", "wechatpay"]
)
STRIPE_API_KEY = env.text("STRIPE_API_KEY", secret=True)
STRIPE_API_BASE = env.text("STRIPE_API_BASE").rstrip("/")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", secret=True)
WECHATPAY_MCHID = env.text("WECHATPAY_MCHID")
WECHATPAY_APPID = env.text("WECHATPAY_APPID")
WECHATPAY_CERT_SERIAL = env.text("WECHATPAY_CERT_SERIAL")
WECHATPAY_PRIVATE_KEY_FILE = env.text("WECHATPAY_PRIVATE_KEY_FILE")
WECHATPAY_APIV3_KEY = env.text("WECHATPAY_APIV3_KEY", secret=True)
WECHATPAY_PUBLIC_KEY_FILE = env.words("WECHATPAY_PUBLIC_KEY_FILE", [])
WECHATPAY_PUBLIC_KEY_ID = env.words("WECHATPAY_PUBLIC_KEY_ID", [])
WECHATPAY_API_BASE = env.text("WECHATPAY_API_BASE", "https://api.mch.weixin.qq.com").rstrip("/")
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
EMAIL_URL = env.text("EMAIL_URL", embedded(f"file://{DATA_DIR}/mail"), secret=True)
SMS_GATEWAY = env.choice("SMS_GATEWAY", embedded("file") or "off", ["off", "console", "file"])
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", embedded("demonstration@localhost"))
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# What may not start.
REQUIRED_IN_PRODUCTION = {
    "SECRET_KEY": (SECRET_KEY, "set a long random text (or SECRET_KEY_FILE)"),
    "DATABASE_URL": (APPLICATION_DATABASE_URL, "set the address of the application role"),
    "ALLOWED_HOSTS": (ALLOWED_HOSTS, "name the site's host names, separated by commas"),
    "SITE_URL": (SITE_URL, "set the public address, https://…"),
    "CELERY_BROKER_URL": (CELERY_BROKER_URL, "set the broker, redis://host:6379/0"),
    "FIELD_KEY_FILE": (FIELD_KEY_FILE, "name the file of the field encryption keys"),
    "LOG_SIGNING_KEY_FILE": (LOG_SIGNING_KEY_FILE, "name the file of the public log's signing key"),
    "EMAIL_URL": (EMAIL_URL, "set the mail server, smtp+tls://user:password@host:587"),
    "EMAIL_FROM": (DEFAULT_FROM_EMAIL, "set the sender's address of the site's mails"),
    "PAYMENT_PROVIDERS": (PAYMENT_PROVIDERS, "name at least one real provider: stripe, wechatpay"),
}
if PRODUCTION:
    for name, (value, advice) in REQUIRED_IN_PRODUCTION.items():
        if not value:
            env.wrong(name, f"missing in production; {advice}")
    if SECRET_KEY and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10):
        env.wrong("SECRET_KEY", "too weak; take at least 50 random characters")
    if DEBUG:
        env.wrong("DEBUG", "is not allowed in production; remove it, or set MODE=demonstration")
    if "sandbox" in PAYMENT_PROVIDERS:
        env.wrong("PAYMENT_PROVIDERS", "the sandbox pays nothing and is refused in production; take it out")
    if SITE_URL and not (urlsplit(SITE_URL).scheme == "https" and urlsplit(SITE_URL).hostname):
        env.wrong("SITE_URL", "must be https:// and the site's host in production")
    if (
        MIGRATION_DATABASE_URL
        and MIGRATION_DATABASE_URL == APPLICATION_DATABASE_URL
        and DATABASE_ROLE == "owner"
    ):
        env.wrong(
            "MIGRATION_DATABASE_URL",
            "must be another role than DATABASE_URL, so that it can't change history",
        )
    if "*" in ALLOWED_HOSTS:
        env.wrong("ALLOWED_HOSTS", "* lets any host name in; name them")
    if STRIPE_API_BASE not in ("", "https://api.stripe.com"):
        env.wrong("STRIPE_API_BASE", "points at a test server, which production refuses; remove it")
    if "stripe" in PAYMENT_PROVIDERS and STRIPE_API_KEY and "_live_" not in STRIPE_API_KEY:
        env.wrong("STRIPE_API_KEY", "is a test key; production needs a live one (sk_live_… or rk_live_…)")
else:
    if "_live_" in STRIPE_API_KEY:
        env.wrong("STRIPE_API_KEY", "is a live key; a demonstration must never move real money")
    for host in ALLOWED_HOSTS:
        if host not in LOOPBACK:
            env.wrong(
                "ALLOWED_HOSTS", f"{host}: a demonstration answers on loopback only ({', '.join(LOOPBACK)})"
            )
if "stripe" in PAYMENT_PROVIDERS:
    if not STRIPE_API_KEY:
        env.wrong("STRIPE_API_KEY", "missing, though stripe is among PAYMENT_PROVIDERS")
    if not STRIPE_WEBHOOK_SECRET:
        env.wrong("STRIPE_WEBHOOK_SECRET", "missing, though stripe is among PAYMENT_PROVIDERS")
if "wechatpay" in PAYMENT_PROVIDERS:
    for name, what in wrong_wechatpay(
        mchid=WECHATPAY_MCHID, appid=WECHATPAY_APPID, serial=WECHATPAY_CERT_SERIAL, base=WECHATPAY_API_BASE,
        private_key_file=WECHATPAY_PRIVATE_KEY_FILE, apiv3_key=WECHATPAY_APIV3_KEY, production=PRODUCTION,
        public_key_files=WECHATPAY_PUBLIC_KEY_FILE, public_key_ids=WECHATPAY_PUBLIC_KEY_ID,
    ):  # fmt: skip
        env.wrong(name, what)
if SEARCH_ENGINE == "elasticsearch" and not ELASTICSEARCH_URL:
    env.wrong("ELASTICSEARCH_URL", "missing, though SEARCH_ENGINE is elasticsearch")
globals().update(env.mail("EMAIL_URL", EMAIL_URL) if EMAIL_URL else {})
env.finish()

# Rooms, from the ground up; tests/architecture holds their floors.
ROOMS = [
    "core", "places", "accounts", "ledger", "payments", "organizations", "casework", "funds", "publication",
    "donations", "disbursements", "inventory", "wishes", "disclosures", "tracing", "oversight", "notifications",
]  # fmt: skip

INSTALLED_APPS = [
    "charity_site",
    *[f"apps.{room}" for room in ROOMS],
    "search", "cms",
    "wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.embeds", "wagtail.sites", "wagtail.users",
    "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search", "wagtail.admin", "wagtail",
    "modelcluster", "taggit", "django_filters",
    "allauth", "allauth.account", "allauth.mfa", "axes", "csp", "django_htmx", "import_export", "ninja", "pgtrigger",
    "apps.accounts.admin_site.ClosedAdminConfig", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.postgres", "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles", "django.contrib.humanize",
]  # fmt: skip

MIDDLEWARE = [
    "charity_site.middleware.Probes",
    "charity_site.middleware.RequestLog",
    "charity_site.middleware.PlainAddresses",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "charity_site.middleware.ContentPolicy",
    "apps.core.pages.PageCache",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.ActorMiddleware",
    "apps.core.middleware.DomainErrorMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "charity_site.urls"
WSGI_APPLICATION = "charity_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "charity_site.context.site",
            ],
        },
    },
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "static"] if folder.exists()]
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_PERMISSIONS = 0o600

# Sign-in.
AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "apps.accounts.passwords.LongEnough", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme or "https"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "charity"
MFA_ADAPTER = "apps.accounts.adapters.MfaAdapter"
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
# axes counts passwords per account and address (10 in a quarter of an hour). Allauth's own brake goes by the account
# alone and holds for codes of the second step too: few enough that six digits can't be guessed.
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip,15/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_HOPS
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "apps.accounts.adapters.attempted_account"
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "apps.core.http.client_address"
AXES_SENSITIVE_PARAMETERS = ["password", "login", "email", "code"]

# Transport and browser.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION and PROXY_HOPS else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [
            "'self'",
            *(["https://checkout.stripe.com"] if "stripe" in PAYMENT_PROVIDERS else []),
        ],
    }
}

# Wagtail.
WAGTAIL_SITE_NAME = "慈善捐助与公示"
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAIL_I18N_ENABLED = True
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "odt", "pdf", "xlsx"]
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = WAGTAIL_PASSWORD_RESET_ENABLED = False

LOGGING_CONFIG = None
logging_config(LOG_LEVEL)
SILENCED_SYSTEM_CHECKS: list[str] = []
