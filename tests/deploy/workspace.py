"""Where deploy/ is built and synthesised: a folder below build/, with npm packages of its own.

What `ampx` brings is left out there: deploy/ itself takes 1.2 GB when it is installed.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/deploy"
FOLDER = ROOT / "build/deploy"
PROGRAM = ROOT / "build/package/dispatcher"
API = "https://api.example.com"
INSTALL_SECONDS = 15 * 60
SECONDS = 300
sys.path.insert(0, str(ROOT / "scripts"))

import package  # noqa: E402: found on the path above
import reference  # noqa: E402, F401: for the tests
from template import Template  # noqa: E402, F401: likewise


def run(command, seconds=SECONDS, **more):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, **more)


def must(command, seconds=SECONDS, **more):
    done = run(command, seconds, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def install():
    """What package-lock.json names, from the npm registry, unless it is there from last time."""
    sources = [HERE / "package.json", HERE / "package-lock.json", *sorted((HERE / "unused").glob("*/*"))]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = FOLDER / "node_modules/.lock-digest"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, FOLDER / name)
    shutil.rmtree(FOLDER / "unused", ignore_errors=True)
    shutil.copytree(HERE / "unused", FOLDER / "unused")
    must(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], INSTALL_SECONDS, cwd=FOLDER)
    stamp.write_text(wanted)


def build():
    """Compiles deploy/, and the tests' own stacks with it, by the project's strict rules."""
    for name in ("amplify", "bin", "lib"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        shutil.copytree(ROOT / "deploy" / name, FOLDER / name)
    shutil.copy(ROOT / "deploy/cdk.json", FOLDER / "cdk.json")
    (FOLDER / "tests").mkdir(exist_ok=True)
    shutil.copy(HERE / "scenarios.ts", FOLDER / "tests/scenarios.ts")
    settings = json.loads((ROOT / "deploy/tsconfig.json").read_text())
    settings["include"].append("tests")
    (FOLDER / "tsconfig.json").write_text(json.dumps(settings))
    shutil.rmtree(FOLDER / "dist", ignore_errors=True)
    must(["npx", "--no-install", "tsc"], cwd=FOLDER)


def without_network():
    """The beginning of a command that reaches nobody, where the machine lets us say so."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *rights, "--net"]
    return command if run([*command, "true"]).returncode == 0 else []


def environment(home, **settings):
    """None of the caller's own settings or credentials, and nothing told to anyone."""
    told = {"PATH": os.environ["PATH"], "HOME": str(home), "CDK_DISABLE_CLI_TELEMETRY": "true",
            "AMPLIFY_DISABLE_TELEMETRY": "1", "CI": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**told, **settings}


def make_zip(folder):
    """The function as `./dev package` makes it."""
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} does not exist: ./dev package makes it")
    path = folder / "dispatcher-lambda.zip"
    package.make_zip(path, package.stripped(PROGRAM), package.source_date())
    return path
