# Tidegate with its hash-locked dependencies, run by a user without rights.
#
#   docker build -t tidegate .
#   docker run -p 4000:4000 -v tidegate:/var/lib/tidegate \
#       -v "$PWD/tidegate.yaml:/etc/tidegate/tidegate.yaml:ro" -e OPENAI_API_KEY tidegate
#
# Sets beyond these two, such as `semantic`: docker build --build-arg SETS="postgres git semantic" .
# Control listens on the container's own loopback: `docker exec ID tidegate key create ...`.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
ARG SETS="postgres git"
COPY requirements requirements
RUN python -m venv /opt/tidegate \
    && for set in $SETS; do \
        /opt/tidegate/bin/pip install --require-hashes -r "requirements/$set.txt" || exit 1; done \
    && pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/tidegate/bin/pip install --no-deps /wheel/tidegate-*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/tidegate --create-home tidegate
COPY --from=build /opt/tidegate /opt/tidegate
ENV PATH=/opt/tidegate/bin:$PATH PYTHONUNBUFFERED=1 \
    TIDEGATE_STATE=/var/lib/tidegate TIDEGATE_CONFIG=/etc/tidegate/tidegate.yaml
USER tidegate
WORKDIR /var/lib/tidegate
VOLUME /var/lib/tidegate
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:4000/livez', timeout=2)"]
ENTRYPOINT ["tidegate"]
CMD ["up", "--listen", "0.0.0.0:4000"]
