"""Every check of the structure fails on a tree that breaks its rule, and passes one that keeps it."""

import pytest

import checks


@pytest.fixture
def tree(tmp_path):
    """Makes files, and returns what a check of them finds."""

    def check(function, files, *more):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return function(tmp_path, sorted(files), *more)

    return check


def includes(includer, included):
    return {f"src/{includer}": f'#include "{included}"\n', f"src/{included}": "\n"}


@pytest.mark.parametrize("includer, included", [
    ("model/event.hpp", "base/time.hpp"),
    ("hosts/serve.cpp", "engine/drain.hpp"),
    ("adapters/sqlite/store.cpp", "ports/store.hpp"),
    ("adapters/sqlite/store.cpp", "adapters/sqlite/schema.hpp"),
    ("hosts/wiring_serve.cpp", "adapters/sqlite/store.hpp"),
])
def test_an_arrow_of_the_picture_passes(tree, includer, included):
    assert tree(checks.wrong_arrows, includes(includer, included)) == []


@pytest.mark.parametrize("includer, included", [
    ("base/time.hpp", "model/event.hpp"),
    ("model/event.hpp", "ports/clock.hpp"),
    ("engine/drain.cpp", "api/routes.hpp"),
    ("engine/drain.cpp", "adapters/sqlite/store.hpp"),
    ("adapters/sqlite/store.cpp", "engine/drain.hpp"),
    ("adapters/sqlite/store.cpp", "adapters/https/client.hpp"),
    ("hosts/serve.cpp", "adapters/sqlite/store.hpp"),
    ("newroom/thing.cpp", "base/time.hpp"),
])
def test_an_arrow_against_the_picture_is_found(tree, includer, included):
    assert len(tree(checks.wrong_arrows, includes(includer, included))) == 1


def test_an_include_of_nothing_is_found(tree):
    assert len(tree(checks.wrong_arrows, {"src/base/a.cpp": '#include "base/gone.hpp"\n'})) == 1


def test_headers_in_a_ring_are_found(tree):
    ring = {"src/base/a.hpp": '#include "base/b.hpp"\n', "src/base/b.hpp": '#include "base/a.hpp"\n'}
    assert len(tree(checks.include_cycles, ring)) == 1
    assert tree(checks.include_cycles, includes("base/a.hpp", "base/c.hpp")) == []


def test_a_long_file_is_found_and_an_exception_may_only_shrink(tree):
    files = {"a.cpp": "\n" * 401, "b.cpp": "\n" * 400}
    assert len(tree(checks.long_files, files, {})) == 1
    assert tree(checks.long_files, files, {"a.cpp": 401}) == []
    assert len(tree(checks.long_files, files, {"a.cpp": 402})) == 1
    assert len(tree(checks.long_files, files, {"a.cpp": 401, "b.cpp": 450})) == 1
    assert len(tree(checks.long_files, files, {"a.cpp": 401, "gone.cpp": 450})) == 1


@pytest.mark.parametrize("name, content", [
    ("build/x.txt", "x"), ("a/__pycache__/b.txt", "x"), ("events.db", "x"), ("key.pem", "x"),
    ("data/secrets.json", "{}"), ("picture.txt", b"\0\1"),
])
def test_a_generated_file_is_found(tree, name, content):
    assert len(tree(checks.generated_files, {name: content, "good.cpp": "int a;\n"})) == 1


@pytest.mark.parametrize("text", [
    "-----BEGIN PRIVATE " + "KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49",
    "id = AKIA" + "ABCDEFGHIJKLMNOP",
    "token ghp_" + "a" * 36,
    "resolved https://" + "nexus.corp.example/repository/x.tgz",
    "resolved https://" + "registry." + "npmjs.org/x/-/x-1.tgz",
])
def test_a_secret_or_a_registry_is_found(tree, text):
    assert len(tree(checks.secrets_and_hosts, {"a.txt": text})) == 1


def test_aws_published_examples_are_no_secrets(tree):
    text = "AKIA" + "IOSFODNN7EXAMPLE"
    assert tree(checks.secrets_and_hosts, {"a.txt": text}) == []


def test_a_test_file_without_an_opening_comment_is_found(tree):
    files = {"tests/unit/a_test.cpp": '#include "x"\n', "tests/unit/b_test.cpp": "// Promises.\n",
             "tests/api/test_c.py": "import os\n", "tests/api/help.py": "import os\n"}
    assert len(tree(checks.silent_test_files, files)) == 2


DEV = "usage <<'END'\n  build   builds\nEND\ncase $command in\n  build) build ;;\nesac\n"


def test_a_command_that_is_not_there_is_found(tree):
    assert tree(checks.unknown_dev_commands, {"dev": DEV, "README.md": "`./dev build`"}) == []
    assert len(tree(checks.unknown_dev_commands, {"dev": DEV, "README.md": "`./dev fly`"})) == 1


def test_a_command_that_the_usage_does_not_list_is_found(tree):
    hidden = DEV.replace("esac", "  fly) fly ;;\nesac")
    assert len(tree(checks.unknown_dev_commands, {"dev": hidden})) == 1


@pytest.mark.parametrize("link, faults", [
    ("b.md", 0), ("b.md#the-way-back", 0), ("https://example.com/", 0), ("gone.md", 1),
    ("b.md#gone", 1), ("#gone", 1), ("#here", 0),
])
def test_a_dead_link_is_found(tree, link, faults):
    files = {"docs/a.md": f"# Here\n[x]({link})\n```\n[y](nowhere)\n```\n",
             "docs/b.md": "# Top\n## The way back\n"}
    assert len(tree(checks.dead_links, files)) == faults


def test_code_that_is_written_twice_is_found(tree):
    piece = "".join(f"call_number({number});\n" for number in range(checks.REPEATED_LINES))
    files = {"src/a.cpp": piece, "src/b.cpp": "// Its own.\nint b = 1;\n" + piece}
    assert len(tree(checks.repeated_code, files)) == 1
    assert tree(checks.repeated_code, {"src/c.cpp": piece}) == []


@pytest.mark.parametrize("code", [
    "if (co_await f()) {}", "while (!co_await f(a, (b))) {}", "switch (co_await f()) {}",
    "for (; co_await f();) {}", "for (auto x : co_await f()) {}", "if (const auto x = co_await f(); x) {}",
    "x = co_await f() ? 1 : 2;", "x = a ? co_await f() : 2;", "co_return a(b, co_await f()) ? 1 : 2;",
    "do {} while (a &&\n  co_await f());", 'if ("(" == a && co_await f()) {}',
])
def test_an_await_in_a_condition_is_found(tree, code):
    assert len(tree(checks.awaits_in_conditions, {"src/a.cpp": "// if (\n" + code})) == 1


@pytest.mark.parametrize("code", [
    "const bool x = co_await f();\nif (x) {}", "if (a) { co_await f(); }", "while (a) co_await f();",
    "// if (co_await f())\n", 'log("if (co_await f())");', "x = a ? 1 : 2;\nco_await f();",
    "for (;;) { x = co_await f(); }", "co_await f(a, (b ? 1 : 2));", "co_await f(R\"(a ? b)\", '?');",
])
def test_an_await_elsewhere_is_none(tree, code):
    assert tree(checks.awaits_in_conditions, {"src/a.cpp": code}) == []


def test_a_type_that_is_defined_twice_is_found(tree):
    one = "namespace a {\nstruct Lane {\n};\n}  // namespace a\n"
    assert len(tree(checks.types_defined_twice, {"src/a.hpp": one, "src/b.hpp": one})) == 1
    for other in ("namespace a {\nclass Lane;\n}  // namespace a\n", "namespace b {\nstruct Lane {\n};\n}  // namespace b\n",
                  "namespace a {\nnamespace {\nstruct Lane {\n};\n}  // namespace\n}  // namespace a\n",
                  "namespace a {\nstruct Lanes::Lane {\n};\n}  // namespace a\n"):
        assert tree(checks.types_defined_twice, {"src/a.hpp": one, "src/b.hpp": other}) == []


def test_code_that_is_not_formatted_is_found(tree):
    style = {".clang-format": "BasedOnStyle: Google\n"}
    assert tree(checks.badly_formatted, {**style, "src/a.cpp": "int a = 1;\n"}) == []
    assert tree(checks.badly_formatted, {**style, "src/b.cpp": "int b = 1;\nint  c=2;\nint  d=3;\n"}) == [
        "src/b.cpp:2 is not formatted: run ./dev format"]
