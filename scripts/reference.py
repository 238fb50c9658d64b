"""The tables of the docs, made from those of the code: settings, commands, routes, metrics.

usage: reference.py [--write]

A document holds a table between `<!-- table: NAME -->` and `<!-- end -->`. Without --write the exit
status is 1 when one differs from the code; with it, they are renewed.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["docs/settings.md", "docs/commands.md", "docs/client-commands.md", "docs/api.md",
             "docs/operations.md"]
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_:.\'*+ -]+)|([{}(),|])')


def rows_of(path, kind):
    """The fields of each `KIND{…}` of a constexpr table: str for texts, a list of tokens for others."""
    text = re.sub(r"^\s*//.*", "", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [fields_of(text, found.end()) for found in re.finditer(rf"\b{kind}\{{", text)]


def fields_of(text, position):
    fields, current, depth = [], [], 1
    while depth:
        token = TOKEN.search(text, position)
        position = token.end()
        string, word, mark = token.groups()
        if string is not None:
            spelled = string.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
            current = current + spelled if isinstance(current, str) else spelled
        elif word and word.strip():
            current.append(word.strip())
        elif mark == "," and depth == 1:
            fields.append(current)
            current = []
        elif mark:
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(mark, 0)
    fields.append(current)
    return fields


def last_name(token):
    return token.split("::")[-1]


def code(text):
    return f"`{text}`".replace("|", "\\|") if text else ""


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell or " " for cell in row) + " |" for row in rows]
    return "\n".join(re.sub(r" +", " ", line) for line in lines)


COMMAND_FILE = "src/hosts/command_table.cpp"
SETTING_FILE = "src/hosts/settings_table.cpp"


def command_sets():
    """Names of sets of commands → the commands in them."""
    text = (ROOT / SETTING_FILE).read_text(encoding="utf-8")
    sets = {}
    for name, value in re.findall(r"constexpr CommandSet (k\w+) =\s+([^;]+);", text):
        sets[name] = resolve(re.split(r"\s*\|\s*", value.strip()), sets)
    return sets


def resolve(tokens, sets):
    found = []
    for token in map(last_name, tokens):
        if token != "only":
            found += sets.get(token, [token])
    return found


def read_commands():
    return [{"id": last_name(row[0][0]), "name": f"{row[1] or ''} {row[2]}".strip(), "help": row[3],
             "example": row[4]} for row in rows_of(COMMAND_FILE, "CommandRow")]


def read_settings():
    sets = command_sets()
    names = ("setting", "flag", "placeholder", "variable", "key", "type", "min", "max", "fallback",
             "example", "choices", "is_secret", "commands", "help")
    settings = [dict(zip(names, row)) for row in rows_of(SETTING_FILE, "SettingRow")]
    for setting in settings:
        assert len(setting) == len(names), setting
        setting["commands"] = resolve(setting["commands"], sets)
        for name, value in setting.items():
            if name != "commands" and isinstance(value, list):
                setting[name] = "" if last_name(value[0]).startswith("k") else last_name(value[0])
    return settings


def flag_text(setting):
    return f"{setting['flag']} {setting['placeholder']}".strip()


def settings_table():
    """What can be set in the environment or the file."""
    rows = []
    for setting in read_settings():
        if setting["variable"] or setting["key"]:
            text = setting["help"]
            if setting["choices"]:
                text += ": " + ", ".join(code(one) for one in setting["choices"].split("|"))
            rows.append([code(flag_text(setting)), code(setting["variable"]), code(setting["key"]),
                         code(setting["fallback"]), text])
    return table(["flag", "variable", "key in the file", "default", "meaning"], rows)


def aws_table():
    """The variables of every AWS client, but for those that are settings of our own."""
    own = {setting["variable"] for setting in read_settings()}
    rows = [[code(row[0]), row[1]] for row in rows_of("src/adapters/aws/variables.hpp", r"AwsVariable \w+")
            if row[0] not in own]
    return table(["variable", "meaning"], rows)


def commands_table():
    rows = [[code("dispatcher " + command["name"]), command["help"]] for command in read_commands()]
    return table(["command", "does"], rows)


# The groups of commands that work with a running service: they have a page of their own.
CLIENT_GROUPS = ("events ", "endpoints ")


def flags_of(command, settings):
    """The section of a command: an example, and its flags of `settings`."""
    taken = [one for one in settings if command["id"] in one["commands"] and one["flag"]]
    example = "\n".join(line.strip() for line in command["example"].splitlines())
    section = f"### dispatcher {command['name']}\n\n```\n{example}\n```"
    return f"{section}\n\n{flag_table(taken)}" if taken else section


def flag_table(settings):
    rows = [[code(flag_text(one)), code(one["fallback"]), one["help"]] for one in settings]
    return table(["flag", "default", "meaning"], rows)


def flags_text():
    """A section for each command that has no page of its own."""
    settings = read_settings()
    return "\n\n".join(flags_of(command, settings) for command in read_commands()
                       if not command["name"].startswith(CLIENT_GROUPS))


def client_commands():
    return [command for command in read_commands() if command["name"].startswith(CLIENT_GROUPS)]


def shared_flags():
    """The flags that tell such a command where the service is, and how to say what it answered."""
    ids = {command["id"] for command in client_commands()} - {"events_export"}
    return [one for one in read_settings() if one["flag"] and ids <= set(one["commands"])]


def client_flags_text():
    shared = [one["setting"] for one in shared_flags()]
    rest = [one for one in read_settings() if one["setting"] not in shared]
    return "\n\n".join(flags_of(command, rest) for command in client_commands())


AUTH = {"open": "nobody", "token": "a token", "metrics": "a token or `METRICS_TOKEN`"}


def routes_table():
    rows = [[code(row[0]), code(row[1]), AUTH[last_name(row[2][0])], row[4]]
            for row in rows_of("src/api/routes.cpp", "Route")]
    return table(["method", "path", "asks for", "does"], rows)


def metrics_table():
    """The program's own, and what `serve` shows of its store besides."""
    rows = [[code(row[1]), row[4]] for row in rows_of("src/ports/metrics.hpp", "MetricInfo")]
    rows += [[code(row[0]), row[2]] for row in rows_of("src/api/figures.cpp", "StoreMetric")]
    return table(["metric", "counts"], rows)


TABLES = {"settings": settings_table, "aws": aws_table, "commands": commands_table,
          "flags": flags_text, "client_flags": client_flags_text,
          "shared_flags": lambda: flag_table(shared_flags()),
          "routes": routes_table, "metrics": metrics_table}
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(text):
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + "\n" + found[3], text)


def main():
    differing = []
    for name in DOCUMENTS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = renewed(old)
        if new != old:
            differing.append(name)
            if "--write" in sys.argv:
                path.write_text(new, encoding="utf-8")
    if differing and "--write" not in sys.argv:
        sys.exit(f"not as in the code: {', '.join(differing)} (./dev format renews them)")


if __name__ == "__main__":
    main()
