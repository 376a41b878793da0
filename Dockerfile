# Blindpair on the scaled footing: one image for web, worker and beat. Runs as nobody in particular, writes only to /data.
FROM python:3.12.11-slim-bookworm AS build
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
WORKDIR /app
RUN pip install --no-cache-dir --disable-pip-version-check 'uv==0.13.9'
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

FROM python:3.12.11-slim-bookworm
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONUTF8=1 \
    BLINDPAIR_DATA=/data BIND=0.0.0.0:8000 DJANGO_SETTINGS_MODULE=config.settings
RUN groupadd --gid 10001 blindpair \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin blindpair \
    && install -d -o 10001 -g 10001 -m 750 /data
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
COPY manage.py pyproject.toml ./
COPY accounts accounts
COPY backends backends
COPY config config
COPY console console
COPY experiments experiments
COPY ratings ratings
COPY reports reports
COPY samples samples
COPY static static
COPY templates templates
USER 10001:10001
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
