"""The docs agree with the code: their tables of settings, commands, routes and metrics are made from the
code's, and every `dispatcher` command that they show has the flags it is shown with."""

import pathlib
import re
import shlex
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import reference  # noqa: E402

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?:sh)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(dispatcher [^`]+)`")


@pytest.mark.parametrize("name", reference.DOCUMENTS)
def test_the_tables_of_a_document_are_those_of_the_code(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- table: " in text
    assert reference.renewed(text) == text, "./dev format renews it"


def test_every_table_is_in_some_document():
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in reference.DOCUMENTS)
    assert set(re.findall(r"<!-- table: (\w+) -->", texts)) == set(reference.TABLES)


def test_the_tables_are_read_whole():
    assert len(reference.read_settings()) > 40
    assert {"serve", "events list", "store backup"} <= {one["name"] for one in reference.read_commands()}
    assert "`/inbox/{id}/nack`" in reference.routes_table()
    metrics = reference.metrics_table()
    for name in ("retry_attempts_total", "events", "events_in_review", "deliveries_in_flight", "store_bytes",
                 "store_commits_total", "store_queued_writes"):
        assert metrics.count(f"`dispatcher_{name}`") == 1


def shown_commands(text):
    """The `dispatcher …` command lines of a document, as lists of words."""
    lines = []
    for block in FENCE.findall(text):
        lines += re.findall(r"^(?:\S+=\S+ )*(?:\S*/)?(dispatcher .*)", block.replace("\\\n", " "), re.MULTILINE)
    lines += INLINE.findall(FENCE.sub("", text))
    return [shlex.split(line.split(" #")[0].rstrip("& ")) for line in lines]


def fault_of(words):
    """Why `dispatcher` would refuse these words; empty when it would not."""
    if words[1] == "COMMAND":
        return ""
    flags_of = {one["name"]: one["id"] for one in reference.read_commands()}
    names = [" ".join(words[1:count]) for count in (3, 2)]
    matching = [name for name in names if name in flags_of]
    if not matching:
        groups = {name.split()[0] for name in flags_of}
        return "" if words[1] in groups and len(words) == 2 or "|" in words[-1] else "no such command"
    known = {"-h"} | {one["flag"] for one in reference.read_settings()
                      if flags_of[matching[0]] in one["commands"]}
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
    return f"no flag {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_shown_exists_with_its_flags(path):
    faults = {" ".join(words): fault_of(words)
              for words in shown_commands(path.read_text(encoding="utf-8"))}
    assert {line: fault for line, fault in faults.items() if fault} == {}


def test_a_command_or_a_flag_that_does_not_exist_is_found():
    assert fault_of(["dispatcher", "serve", "--fly"])
    assert fault_of(["dispatcher", "fly"])
    assert not fault_of(["dispatcher", "events", "list", "--status", "pending"])
