"""Webhooks go to public addresses alone: whatever notation a URL has and whatever a name server says, no
connection is made to another one, and the event is in review as `blocked`. ALLOW_TARGETS opens what
it names, and nothing else. In a network namespace, where every such address is listened at."""

import ipaddress
import re
import socket

import pytest

import harness
import nginx
from harness import secret_endpoint_id
from hostile_server import HostileServer, read_request
from name_server import NameServer
from namespaces import network_namespace, with_name_server

# Of this namespace alone, where they stand for somebody's on the internet.
PUBLIC = ["8.8.8.8", "2606:4700::1"]
REFUSED_V4 = ["0.1.2.3", "10.0.0.1", "10.9.9.9", "100.64.0.1", "169.254.169.254", "172.16.0.1",
              "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
              "203.0.113.1", "224.0.0.1", "240.0.0.1"]
NOT_FOR_TCP = {"224.0.0.1", "0.1.2.3", "240.0.0.1"}  # Linux itself connects to none of these
REFUSED_V6 = ["::a00:1", "::ffff:0:a00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "100::1", "2001::1",
              "2001:db8::1", "2002:a00:1::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00::1",
              "fd00:ec2::254", "fe80::1", "fec0::1"]

NAMES = {
    "private": ["10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "loopback": ["127.0.0.1", "::1"],
    "unspecified": ["0.0.0.0", "::"],
    "unique-local": ["fd00::1"],
    "mapped": ["::ffff:10.0.0.1"],
    "mapped-public": ["::ffff:8.8.8.8"],
    "nat64": ["64:ff9b::a00:1"],
    "6to4": ["2002:a00:1::1"],
    "several": ["10.0.0.1", "100.64.0.1", "fd00::1"],
    "hundred": [f"10.0.1.{number}" for number in range(100)],
}


def spelled(address):
    """Each address in one way: the operating system writes `::a00:1` as `::10.0.0.1`."""
    return str(ipaddress.ip_address(address))


def in_url(address):
    return f"[{address}]" if ":" in address else address


# Of addresses that are listened at. Each is a way to write one that some program understands.
NOTATIONS = {
    "decimal": "167772161", "octal": "012.0.0.01", "octal as one": "01200000001", "hex": "0xa.0.0.1",
    "hex as one": "0x0a000001", "upper case": "0X0A000001", "two parts": "10.1", "three parts": "10.0.1",
    "a dot at the end": "10.0.0.1.", "metadata as one": "2852039166", "metadata in two": "169.16689662",
    "loopback": "127.0.0.1", "short loopback": "127.1", "decimal loopback": "2130706433",
    "octal loopback": "0177.0.0.1", "this host": "0", "this host in hex": "0x0", "localhost": "localhost",
    "below localhost": "a.localhost", "broadcast": "255.255.255.255", "loopback 6": "[::1]",
    "this host 6": "[::]", "mapped": "[::ffff:10.0.0.1]", "mapped in hex": "[::ffff:a00:1]",
    "mapped in full": "[0:0:0:0:0:ffff:10.0.0.1]", "mapped public": "[::ffff:8.8.8.8]",
    "NAT64": "[64:ff9b::10.0.0.1]", "NAT64 of public": "[64:ff9b::8.8.8.8]", "6to4": "[2002:a00:1::1]",
    "upper case 6": "[FD00::1]", "in full": "[fd00:0:0:0:0:0:0:1]",
}


class Listener:
    """HTTPS at every address of the namespace, and what it was connected to by."""

    def __init__(self, folder):
        subject = [f"IP:{address}" for address in [*PUBLIC, "10.0.0.1", "10.9.9.9", "fd00::1"]]
        nginx.make_certificate(folder, ",".join([*subject, "DNS:*.receiver.test"]))
        self.ca_file = folder / "cert.pem"
        context = harness.serving(self.ca_file, folder / "cert.key")
        self.reached = []
        self.servers = [HostileServer(self.behave, context, address, port)
                        for address in ("0.0.0.0", "::") for port in (443, 80)]

    def behave(self, server, connection, _):
        self.reached.append(spelled(connection.getsockname()[0].split("%")[0]))
        stream = server.shake_hands(connection) if server.port == 443 else connection
        if read_request(stream):
            # So that the next event looks the name up again.
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def stop(self):
        for server in self.servers:
            server.stop()


@pytest.fixture(scope="module")
def namespace():
    with network_namespace([*PUBLIC, *REFUSED_V4, *REFUSED_V6]):
        yield


@pytest.fixture
def listener(namespace, tmp_path):
    listening = Listener(tmp_path)
    yield listening
    listening.stop()


@pytest.fixture
def resolves(namespace, tmp_path):
    """Starts a name server, and says how a program is started that asks it."""
    servers = []

    def start(names):
        servers.append(NameServer({f"{name}.receiver.test": found for name, found in names.items()}))
        return {"preexec_fn": with_name_server(tmp_path, servers[-1].address)}

    yield start
    for server in servers:
        server.stop()


def service_for(starts, listener, urls, *more, **popen):
    endpoints = [argument for url in urls for argument in ("--endpoint", url)]
    return starts(harness.Service, *endpoints, "--ca-file", listener.ca_file, *more,
                  env={"MAX_RETRIES": 0, "REQUEST_TIMEOUT_SECONDS": 1}, **popen)


def deliver(client, urls):
    """What a new event came to: for each URL (state, reason of the review, error)."""
    event = client.post_event()
    harness.wait_until(
        lambda: len(client.json("GET", f"/events/{event}/attempts")["items"]) == len(urls),
        "an attempt at each of the endpoints")
    found = {one["endpoint_id"]: one for one in client.json("GET", f"/events/{event}")["deliveries"]}
    ends = {url: found[secret_endpoint_id(url)] for url in urls}
    return {url: (one["state"], one["review_reason"], one["last_error"] or "") for url, one in ends.items()}


def expect_blocked(ends, name):
    state, reason, error = ends
    assert (state, reason) == ("review", "blocked"), f"{name}: {ends}"
    assert error.startswith("blocked: "), f"{name}: {ends}"


def test_no_notation_of_a_refused_address_is_connected_to(starts, listener):
    reachable = {*PUBLIC, *REFUSED_V4, *REFUSED_V6} - NOT_FOR_TCP
    for address in reachable:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            scope = (0, socket.if_nametoindex("lo")) if address.startswith("fe80") else ()
            probe.connect((address, 443, *scope))
    harness.wait_until(lambda: set(listener.reached) >= reachable, "the listener to be at every address")
    listener.reached.clear()
    refused = {f"https://{in_url(address)}/": address for address in REFUSED_V4 + REFUSED_V6}
    refused.update({f"https://{host}/?{name.replace(' ', '-')}": name for name, host in NOTATIONS.items()})
    public = [f"https://{in_url(address)}/" for address in PUBLIC]
    service = service_for(starts, listener, [*refused, *public])
    ends = deliver(service.client(), [*refused, *public])
    for url, name in refused.items():
        expect_blocked(ends[url], name)
    assert {ends[url] for url in public} == {("delivered", None, "")}
    assert sorted(listener.reached) == sorted(PUBLIC)


def test_what_is_no_host_at_all_is_refused_at_the_start(listener, tmp_path):
    for host in ("[fe80::1%25lo]", "[fe80::1%lo]", "[::ffff:10.0.0.1%251]", "[v1.fe80]", "10.0.0.1%00.a"):
        done = harness.run_command("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "none",
                                   "--endpoint", f"https://{host}/hidden")
        assert done.returncode == 2 and "--endpoint" in done.stderr, (host, done.stderr)
        assert "hidden" not in done.stderr
    assert listener.reached == []


def test_no_refused_address_of_a_name_is_connected_to(starts, listener, resolves):
    refused = [f"https://{name}.receiver.test/" for name in NAMES]
    service = service_for(starts, listener, refused, **resolves(NAMES))
    for url, end in deliver(service.client(), refused).items():
        expect_blocked(end, url)
    assert listener.reached == []


def test_of_several_addresses_only_the_public_one_is_connected_to(starts, listener, resolves):
    urls = ["https://mixed.receiver.test/", "https://mixed-families.receiver.test/"]
    service = service_for(starts, listener, urls, **resolves({
        "mixed": ["10.0.0.1", "fd00::1", "127.0.0.1", "8.8.8.8"],
        "mixed-families": ["10.0.0.1", "2606:4700::1"]}))
    assert set(deliver(service.client(), urls).values()) == {("delivered", None, "")}
    assert sorted(listener.reached) == sorted(PUBLIC)


def test_an_answer_that_changes_between_look_ups_is_checked_each_time(starts, listener, resolves):
    url = "https://turning.receiver.test/"
    service = service_for(starts, listener, [url], **resolves({
        "turning": lambda number: ["8.8.8.8"] if number % 2 == 0 else ["10.0.0.1"]}))
    client = service.client()
    assert deliver(client, [url])[url] == ("delivered", None, "")
    expect_blocked(deliver(client, [url])[url], "the second look-up")
    assert deliver(client, [url])[url] == ("delivered", None, "")
    # Each look-up is used as it was checked: none of the three made another one.
    assert listener.reached == ["8.8.8.8", "8.8.8.8"]


def test_a_name_server_that_fails_is_named_and_holds_up_nobody(starts, listener, resolves):
    names = {"silent": None, "garbage": b"\xff" * 300, "cut": b"\x81", "empty": [],
             "unreachable": [f"8.8.4.{number}" for number in range(100)], "healthy": ["8.8.8.8"]}
    service = service_for(starts, listener, [f"https://{name}.receiver.test/" for name in
                                             [*names, "nowhere"]], **resolves(names))
    ends = deliver(service.client(), [f"https://{name}.receiver.test/" for name in [*names, "nowhere"]])
    errors = {"silent": "timeout: resolving the name", "garbage": "(dns|timeout): .*",
              "cut": "(dns|timeout): .*", "empty": "dns: the name has no address",
              "nowhere": "dns: the name does not exist", "unreachable": "connect: network unreachable",
              "healthy": ""}
    for name, error in errors.items():
        state, reason, said = ends[f"https://{name}.receiver.test/"]
        assert re.fullmatch(error, said), f"{name}: {said}"
        assert (state, reason) == ("waiting" if error else "delivered", None), name
    assert listener.reached == ["8.8.8.8"]


def test_an_exemption_opens_what_it_names_and_nothing_else(starts, listener):
    opened = ["https://10.0.0.1/", "https://012.1/", "https://[fd00::1]/", "http://192.168.1.1/",
              "https://8.8.8.8/"]
    refused = ["https://10.9.9.9/", "http://10.0.0.1/", "https://[::ffff:10.0.0.1]/",
               "https://[64:ff9b::10.0.0.1]/", "https://192.168.1.1/", "https://[fd00:ec2::254]/",
               "https://[fc00::1]/", "https://127.0.0.1/", "http://8.8.8.8/"]
    service = service_for(starts, listener, opened + refused, "--allow-target", "https://10.0.0.0/24",
                          "--allow-target", "http://192.168.1.1", "--allow-target", "https://fd00::/64")
    ends = deliver(service.client(), opened + refused)
    for url in refused:
        expect_blocked(ends[url], url)
    assert {url: ends[url] for url in opened} == dict.fromkeys(opened, ("delivered", None, ""))
    assert sorted(listener.reached) == ["10.0.0.1", "10.0.0.1", "192.168.1.1", "8.8.8.8", "fd00::1"]
