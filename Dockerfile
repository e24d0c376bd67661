# The site's image, and the proxy's. Build: docker compose build
FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock /build/requirements.lock
RUN python -m venv /srv/venv \
 && /srv/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r /build/requirements.lock

FROM python:3.11-slim-bookworm AS site
RUN apt-get update \
 && apt-get install -y --no-install-recommends fontconfig fonts-wqy-microhei libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin charity \
 && install -d -o charity /srv/data /srv/static
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/data STATIC_DIR=/srv/static
WORKDIR /srv/site
COPY --from=packages /srv/venv /srv/venv
COPY . /srv/site
# Styles, scripts and translations need no secret: the demonstration's settings do.
RUN MODE=demonstration DATA_DIR=/tmp/build python manage.py compile_translations \
 && MODE=demonstration DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/build
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "1", "--no-ws", "charity_site.wsgi:application"]

FROM caddy:2-alpine AS proxy
RUN setcap -r /usr/bin/caddy && install -d -o 10001 -g 10001 /data /config && chown -R 10001:10001 /data /config
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001
