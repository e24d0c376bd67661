#!/bin/sh
# Runs once, when the database is first made: the owner role that migrates, and the application role that owns nothing.
set -eu
owner=$(cat /run/secrets/database_owner_password)
application=$(cat /run/secrets/database_app_password)
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	-v owner="$owner" -v application="$application" <<'SQL'
CREATE ROLE charity_owner LOGIN NOSUPERUSER PASSWORD :'owner';
CREATE ROLE charity_app LOGIN NOSUPERUSER PASSWORD :'application';
CREATE DATABASE charity OWNER charity_owner;
REVOKE CONNECT ON DATABASE charity FROM PUBLIC;
GRANT CONNECT ON DATABASE charity TO charity_app;
SQL
