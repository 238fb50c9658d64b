"""nginx as an independent receiver: TLS, keep-alive, and a log of what came. Run by whoever runs the
tests, with its configuration and files in a temporary folder."""

import pathlib
import socket
import subprocess
import urllib.request

import harness

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  log_format received '$http_webhook_id $status $connection $msec $ssl_session_reused $content_type';
  access_log {log};
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  ssl_certificate {folder}/cert.pem;
  ssl_certificate_key {folder}/cert.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    {locations}
  }}
  server {{
    listen 127.0.0.1:{status_port};
    access_log off;
    location / {{ stub_status; }}
  }}
}}
"""


def make_certificate(folder, names="IP:127.0.0.1,DNS:localhost"):
    """cert.pem and cert.key: P-256, self-signed, for `names`."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext",
         f"subjectAltName={names}", "-keyout", folder / "cert.key", "-out",
         folder / "cert.pem"], check=True, capture_output=True)


def free_port():
    """nginx cannot take port 0. Somebody else may take this one first, but hardly does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx(harness.Process):
    """Answers every request with 200, or as `locations` says."""

    def __init__(self, folder, locations="location / { return 200; }", log=True, name="nginx"):
        home = pathlib.Path(folder) / name
        home.mkdir(parents=True)
        make_certificate(home)
        self.port, self.status_port = free_port(), free_port()
        self.log_file = home / "access.log"
        (home / "nginx.conf").write_text(CONFIGURATION.format(
            folder=home, port=self.port, status_port=self.status_port, locations=locations,
            log=f"{self.log_file} received" if log else "off"))
        self.ca_file = home / "cert.pem"
        super().__init__(["/usr/sbin/nginx", "-p", home, "-c", home / "nginx.conf",
                          "-e", home / "start.log"], folder, name)
        harness.wait_until(self.is_listening, "nginx to listen")

    def is_listening(self):
        assert self.is_running(), "nginx does not start:\n" + self.stderr()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, path="/hook"):
        return f"https://127.0.0.1:{self.port}{path}"

    def counters(self):
        """(connections accepted, requests handled) since the start; this question is one of each."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/") as answer:
            accepted, _, requests = answer.read().split(b"\n")[2].split()
        return int(accepted), int(requests)

    def requests(self):
        """A dict for each webhook that it has logged."""
        names = ("id", "status", "connection", "time", "resumed", "content_type")
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [dict(zip(names, line.split())) for line in lines if line.count(" ") == 5]
