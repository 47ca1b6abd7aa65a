# docker build -t synthreasoner . && docker run --rm -v "$PWD:/data" -e ARGO_USER synthreasoner generate --model gpt41 \
#     --input-file papers.jsonl
# For the built-in model, add `-v synthreasoner-cache:/cache` to keep what it downloads.
FROM python:3.12-slim

COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE /source/
COPY programs /source/programs
COPY signatures /source/signatures
COPY optimize /source/optimize
COPY data /source/data
# llama.cpp uses OpenMP, whose library is not in the slim image.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* && \
    cd /source && pip install --no-cache-dir --constraint constraints.txt ".[embedded,export,papers]" && rm -rf /source && \
    useradd --create-home runner && mkdir /data /cache && chown runner /data /cache

USER runner
ENV XDG_CACHE_HOME=/cache
WORKDIR /data
ENTRYPOINT ["synthreasoner"]
CMD ["--help"]
