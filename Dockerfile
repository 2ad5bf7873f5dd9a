# The emulator alone. `docker run -p 8585-8591:8585-8591 -v emulator:/data exchange-emulator`
FROM python:3.11-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# Dependencies first: they change less often than the code.
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m venv /opt/emulator \
    && /opt/emulator/bin/pip install --require-hashes -r requirements/run.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt

COPY pyproject.toml LICENSE ./
COPY emulator emulator
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/emulator/bin/pip install --no-deps --no-index dist/*.whl


FROM python:3.11-slim
COPY --from=build /opt/emulator /opt/emulator
RUN useradd --system --uid 10001 --no-create-home --home-dir /data emulator \
    && install -d -o emulator -g emulator /data /trusted

# A container's loopback is its own, so all addresses; the control API then wants a token, which is
# printed at start unless EMULATOR_CONTROL_TOKEN gives one.
ENV PATH=/opt/emulator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    EMULATOR_HOST=0.0.0.0 \
    EMULATOR_DATA_DIR=/data

USER emulator
WORKDIR /data
VOLUME /data
# The sites' own ports, and that of the real host names (EMULATOR_TLS_PORT sets others).
EXPOSE 8585-8591 8543
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('EMULATOR_PORT', '8585') + '/_emulator/health', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["emulator"]
CMD ["serve"]
