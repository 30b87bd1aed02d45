# One image for API, worker and migrations; docker-compose.yml says which of them a container is.
FROM python:3.13.7-slim-bookworm AS packages
COPY requirements/run.txt /tmp/run.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/run.txt

FROM python:3.13.7-slim-bookworm
RUN useradd --create-home --uid 10001 backcast && install -d -o backcast /data /workspace
COPY --from=packages /opt/venv /opt/venv
COPY backcast.py /app/
COPY engine /app/engine
COPY workflows /app/workflows
COPY api /app/api
COPY migrations /app/migrations
COPY rules /app/rules
COPY playbooks /app/playbooks
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1
USER backcast
WORKDIR /workspace
ENTRYPOINT ["python", "-c", "import backcast; backcast.main()"]
CMD ["--help"]
