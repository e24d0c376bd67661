"""The WSGI application: `granian --interface wsgi charity_site.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")
application = get_wsgi_application()

from charity_site.start import refuse_unsafe_start, settle_memory  # noqa: E402  (needs the apps loaded)
from search.language import warm_up  # noqa: E402

refuse_unsafe_start()
warm_up()
settle_memory()
