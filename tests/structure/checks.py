"""What a check of the repository's structure is: a function from a tree of files to its faults.

A tree is a folder and the names in it that git would keep. Each function returns a list of
sentences, empty when all is well, so that the tests can run them on this repository and on small
bad ones.
"""

import pathlib
import re
import subprocess

# docs/design/overview.md draws the same picture.
ROOMS = ["base", "model", "ports", "engine", "api", "hosts"]
MAX_LINES = 400
CODE = (".cpp", ".hpp", ".py", ".sh", ".md")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def tracked_files(root):
    """Names below `root`, of what is in git or would be added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=root,
        check=True, capture_output=True).stdout.decode()
    return sorted(name for name in set(listed.split("\0")) if name and (root / name).is_file())


def read(root, name):
    return (root / name).read_text(encoding="utf-8", errors="replace")


def room_of(path):
    """`engine` of `engine/drain.hpp`, `adapters/sqlite` of `adapters/sqlite/schema.hpp`."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "adapters" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else ""


def may_include(includer, included):
    """`base ← model ← ports ← engine ← api ← hosts`; an adapter knows ports (and what those know)
    and itself; only hosts/wiring names adapters."""
    room, other = room_of(includer), room_of(included)
    if room == other:
        return True
    if other.startswith("adapters/"):
        return room == "hosts" and pathlib.PurePosixPath(includer).name.startswith("wiring")
    if room.startswith("adapters/"):
        return other in ("base", "model", "ports")
    if room in ROOMS and other in ROOMS:
        return ROOMS.index(other) < ROOMS.index(room)
    return False


def wrong_arrows(root, names):
    faults = []
    for name in names:
        if not name.startswith("src/") or not name.endswith((".cpp", ".hpp")):
            continue
        includer = name[len("src/"):]
        for included in INCLUDE.findall(read(root, name)):
            if not (root / "src" / included).exists():
                faults.append(f"{name} includes \"{included}\", which is not a file of src/")
            elif not may_include(includer, included):
                faults.append(f"{name} may not include \"{included}\"")
    return faults


def include_cycles(root, names):
    """Headers that include each other in a ring."""
    graph = {name[len("src/"):]: INCLUDE.findall(read(root, name))
             for name in names if name.startswith("src/") and name.endswith(".hpp")}
    faults, done = [], set()

    def visit(node, path):
        if node in path:
            ring = path[path.index(node):] + [node]
            faults.append("headers include each other: " + " → ".join(ring))
            return
        if node in done or node not in graph:
            return
        for following in graph[node]:
            visit(following, path + [node])
        done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return faults


def long_files(root, names, allowed):
    """Files past MAX_LINES. `allowed` names exceptions and their lengths, which may only shrink."""
    faults = []
    for name in names:
        if not name.endswith(CODE) and name != "dev":
            continue
        lines = read(root, name).count("\n")
        if name in allowed and MAX_LINES < lines <= allowed[name]:
            if lines < allowed[name]:
                faults.append(f"{name} has shrunk to {lines} lines: say so in the list of exceptions")
        elif lines > allowed.get(name, MAX_LINES):
            faults.append(f"{name} has {lines} lines: look for the second idea in it")
        elif name in allowed:
            faults.append(f"{name} has only {lines} lines: strike it from the list of exceptions")
    faults += [f"{name} is in the list of exceptions, but not there" for name in allowed
               if name not in names]
    return faults


# So many lines that say something, one after the other, in two places, are one piece of code.
REPEATED_LINES = 12


def telling_lines(text):
    """(number, line) of those that are not blank, a comment, an include or a lone brace."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if len(line) > 3 and not line.startswith(("//", "#", "using ", "namespace ", "import ")):
            yield number, line


def repeated_code(root, names):
    """The first place of each run of lines in src/ that stands in another place too."""
    seen, faults = {}, []
    for name in names:
        if not name.startswith("src/") or not name.endswith((".cpp", ".hpp")):
            continue
        lines = list(telling_lines(read(root, name)))
        reported_until = 0
        for start in range(len(lines) - REPEATED_LINES + 1):
            window = tuple(line for _, line in lines[start:start + REPEATED_LINES])
            place = (name, lines[start][0])
            first = seen.setdefault(window, place)
            if first != place and start >= reported_until:
                faults.append(f"{name}:{place[1]} repeats {first[0]}:{first[1]}")
                reported_until = start + REPEATED_LINES
    return faults


GENERATED = re.compile(
    r"(^|/)(build|node_modules|__pycache__|\.cache|\.pytest_cache|CMakeFiles)/"
    r"|\.(o|a|so|pyc|db|db-wal|db-shm|sqlite3?|zip|deb|gz|jar|exe|pem|key|crt)$"
    r"|(^|/)(compile_commands\.json|CMakeCache\.txt|secrets\.json|core)$")


def generated_files(root, names):
    """What a build, a run or a tool makes does not belong into git; nor does what is not text."""
    faults = []
    for name in names:
        if GENERATED.search(name):
            faults.append(f"{name} looks made by a program: keep it out of git")
        elif b"\0" in (root / name).read_bytes()[:65536] and not name.startswith("tests/fuzz/"):
            faults.append(f"{name} is binary")
    return faults


SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE|I44QH8DHBEXAMPLE|IDEXAMPLE|"
                                    r"DEXAMPLE)[A-Z0-9]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    "a Slack webhook": re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/\w{16,}"),
}
# Packages come from the registries that the tools know by themselves; a lock file or a script that
# names one works on some machines only.
REGISTRY = re.compile(
    r"https?://[\w.-]*(?:artifact|nexus|registry|mirror|proxy|jfrog|pypi|npm)[\w.-]*", re.I)


def secrets_and_hosts(root, names):
    faults = []
    for name in names:
        text = read(root, name)
        faults += [f"{name} seems to hold {what}" for what, pattern in SECRETS.items()
                   if pattern.search(text)]
        faults += [f"{name} names the registry {found}" for found in REGISTRY.findall(text)]
    return faults


def is_test_file(name):
    return name.startswith("tests/") and re.search(r"(_test\.cpp|_test\.py|/test_[^/]+\.py)$", name)


def silent_test_files(root, names):
    """A test file opens with a comment that says which promise it checks."""
    faults = []
    for name in filter(is_test_file, names):
        opening = read(root, name).lstrip()
        if not opening.startswith(("//", "/*", '"""')):
            faults.append(f"{name} does not open with a comment: which promise does it check?")
    return faults


DEV_COMMAND = re.compile(r"(?<![\w/])\./dev\s+([a-z]+)")


def dev_commands(root):
    """Those that the script's own dispatch knows."""
    dispatch = read(root, "dev").split("case $command in", 1)[1]
    return set(re.findall(r"^  ([a-z]+)\)", dispatch, re.MULTILINE))


def unknown_dev_commands(root, names):
    """`./dev …` in the docs names what `./dev` has; and `./dev`'s usage lists just what it has."""
    known = dev_commands(root)
    faults = []
    for name in names:
        if name.endswith(".md") and name != "CHANGELOG.md" or name == ".ci/run":
            faults += [f"{name} speaks of ./dev {word}, which does not exist"
                       for word in DEV_COMMAND.findall(read(root, name)) if word not in known]
    usage = read(root, "dev").split("<<'END'", 1)[1].split("\nEND\n", 1)[0]
    listed = set(re.findall(r"^  ([a-z]+) ", usage, re.MULTILINE))
    faults += [f"./dev's usage and its commands differ in {word}" for word in sorted(listed ^ known)]
    return faults


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchor_of(heading):
    """As GitHub makes it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def dead_links(root, names):
    """Links between our own documents lead to a file, and to a heading in it."""
    faults = []
    for name in names:
        if not name.endswith(".md"):
            continue
        text = FENCE.sub("", read(root, name))
        for link in LINK.findall(text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (root / name).parent / path if path else root / name
            if not target.exists():
                faults.append(f"{name} links to {link}, which is not there")
            elif anchor and target.suffix == ".md":
                headings = HEADING.findall(FENCE.sub("", target.read_text(encoding="utf-8")))
                if anchor not in map(anchor_of, headings):
                    faults.append(f"{name} links to {link}: no such heading")
    return faults


CODE_ELSEWHERE = re.compile(  # comments and literals: what is in them is not code
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
CONDITION = re.compile(r"\b(?:if(?:\s+constexpr)?|while|for|switch)\s*\(")
AWAITED = re.compile(r"\bco_await\b")


def end_of_parentheses(text, begin):
    """Behind the parenthesis that closes the one before `begin`."""
    depth = 1
    while depth and begin < len(text):
        depth += {"(": 1, ")": -1}.get(text[begin], 0)
        begin += 1
    return begin


def awaits_of_choices(statement):
    """Where it awaits what stands before or behind a `?`; one that is in the awaited call's own
    arguments is none of these."""
    depths, depth = [], 0
    for c in statement:
        depth += {"(": 1, ")": -1}.get(c, 0)
        depths.append(depth)
    choices = [place for place, c in enumerate(statement) if c == "?"]
    return {found.start() for found in AWAITED.finditer(statement)
            if any(depths[choice] <= depths[found.start()] for choice in choices)}


def awaits_in_conditions(root, names):
    """GCC 12.2 compiles some `co_await` in conditions wrongly: what is awaited is named first."""
    faults = []
    for name in names:
        if not name.startswith("src/") or not name.endswith((".cpp", ".hpp")):
            continue
        # Of each thing left out, its lines stay.
        code = CODE_ELSEWHERE.sub(lambda found: "\n" * found[0].count("\n"), read(root, name))
        places = {begin.end() + found.start() for begin in CONDITION.finditer(code)
                  if (found := AWAITED.search(code[begin.end():end_of_parentheses(code, begin.end())]))}
        places |= {begin.start() + place for begin in re.finditer(r"[^;{}]+", code)
                   for place in awaits_of_choices(begin[0])}
        faults += [f"{name}:{code.count(chr(10), 0, place) + 1} has a co_await in a condition: name its "
                   "result first" for place in sorted(places)]
    return faults


NAMESPACE_BEGIN = re.compile(r"namespace (?:([\w:]+) )?\{")
NAMESPACE_END = re.compile(r"\}  // namespace")
TYPE = re.compile(r"(?:class|struct|enum class|union) (\w+)(?![\w:])[^;]*$")


def types_defined(code):
    """(namespaces, name) of each type that stands in a namespace with a name."""
    spaces, types = [], set()
    for line in code.splitlines():
        if begin := NAMESPACE_BEGIN.match(line):
            spaces.append(begin[1])
        elif NAMESPACE_END.match(line):
            spaces = spaces[:-1]
        elif (found := TYPE.match(line)) and None not in spaces:
            types.add(("::".join(spaces), found[1]))
    return types


def types_defined_twice(root, names):
    """The linker takes one of two for both: a destructor of the other's is run, and no compiler says so."""
    places = {}
    for name in names:
        if name.startswith("src/") and name.endswith((".cpp", ".hpp")):
            for found in types_defined(read(root, name)):
                places.setdefault(found, []).append(name)
    return [f"{space}::{name} is defined in {' and in '.join(files)}: give one another name"
            for (space, name), files in sorted(places.items()) if len(files) > 1]


def badly_formatted(root, names):
    """What `./dev format` would change."""
    code = [name for name in names if name.endswith((".cpp", ".hpp"))]
    if not code:
        return []
    done = subprocess.run(["clang-format-14", "--dry-run", *code], cwd=root, capture_output=True,
                          text=True, check=True)
    places = re.findall(r"^(.+?):(\d+):\d+: warning: code should be clang-formatted", done.stderr,
                        re.MULTILINE)
    first = dict(reversed(places))
    return [f"{name}:{line} is not formatted: run ./dev format" for name, line in sorted(first.items())]
