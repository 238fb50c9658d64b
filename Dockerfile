# `dispatcher serve` in a container: the static program, certificates, and nothing else.
#
#   docker build -t dispatcher .
#   docker run -d -p 127.0.0.1:8080:8080 -v dispatcher:/data dispatcher

FROM debian:bookworm AS build
# What `./dev setup` installs changes seldom: a layer of its own.
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends git ca-certificates
WORKDIR /source
COPY dev ./
RUN ./dev setup
COPY . .
RUN ./dev package && strip --strip-all -o /dispatcher build/package/dispatcher
# A data directory that its user owns: a new volume takes over its owner.
RUN mkdir /empty

FROM scratch
COPY --from=build /dispatcher /usr/bin/dispatcher
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /empty /data
USER 65532:65532
VOLUME /data
WORKDIR /data
ENV DISPATCHER_DATA=/data DISPATCHER_LISTEN=0.0.0.0:8080
EXPOSE 8080
# It asks the service for a list that needs its key: answered only when the API and its store work.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s \
  CMD ["/usr/bin/dispatcher", "events", "list", "--limit", "1", "--json"]
# It finishes what is under way, 25 s at most.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/dispatcher"]
CMD ["serve"]
