"""The repository keeps to its own rules: who may include whom, how long a file may be, what does not
belong into git, what a test file says first, which commands and files the docs may name, how code is
formatted."""

import pathlib

import pytest

import checks

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Files past the limit and their lengths. The list may only shrink.
LONG_FILES = {}


def fail_if(faults):
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.fixture(scope="module")
def names():
    return checks.tracked_files(ROOT)


def test_no_room_includes_what_it_may_not_know(names):
    fail_if(checks.wrong_arrows(ROOT, names))


def test_no_headers_include_each_other(names):
    fail_if(checks.include_cycles(ROOT, names))


def test_no_file_is_long_but_those_listed(names):
    fail_if(checks.long_files(ROOT, names, LONG_FILES))


def test_nothing_generated_or_binary_is_in_git(names):
    fail_if(checks.generated_files(ROOT, names))


def test_no_secret_and_no_private_registry_is_named(names):
    fail_if(checks.secrets_and_hosts(ROOT, names))


def test_no_type_is_defined_twice(names):
    fail_if(checks.types_defined_twice(ROOT, names))


def test_every_test_file_says_what_it_checks(names):
    fail_if(checks.silent_test_files(ROOT, names))


def test_every_command_of_the_docs_exists(names):
    fail_if(checks.unknown_dev_commands(ROOT, names))


def test_every_link_in_the_docs_leads_somewhere(names):
    fail_if(checks.dead_links(ROOT, names))


def test_no_piece_of_code_is_written_twice(names):
    fail_if(checks.repeated_code(ROOT, names))


def test_nothing_is_awaited_in_a_condition(names):
    fail_if(checks.awaits_in_conditions(ROOT, names))


def test_all_code_is_formatted(names):
    fail_if(checks.badly_formatted(ROOT, names))
