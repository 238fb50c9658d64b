"""Runs the fuzz targets, each for some seconds, beginning with its corpus.

usage: fuzz.py [NAME] [SECONDS]   (without a name: all; 10 seconds each)

What breaks a target is kept in build/fuzz/found/NAME, and belongs into tests/fuzz/corpus/NAME with the
mend. Inputs that reached new code are kept in build/fuzz/corpus/NAME, so that the next run goes on
from them. With FUZZ_SEED in the environment a target that has none of those gets the same inputs each
time. The last line is `N held, N broken`.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
CORPUS = ROOT / "tests/fuzz/corpus"
SECONDS = 10
# 0: another one each time.
SEED = int(os.environ.get("FUZZ_SEED", "0"))
# Longer inputs find nothing that these do not, and take longer.
MAX_INPUT_BYTES = 4096
# A single input that takes longer hangs; what is larger leaks.
INPUT_LIMIT_SECONDS = 10
# 0: another one each time.
SEED = int(os.environ.get("FUZZ_SEED", "0"))
MEMORY_LIMIT_MB = 2048
# Of what a broken target printed.
SHOWN_LINES = 60


def run(name, seconds):
    """(whether it held, a line about it, what it printed)"""
    known, found = BUILD / "corpus" / name, BUILD / "found" / name
    known.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [str(BUILD / f"tests/fuzz/fuzz_{name}"), f"-max_total_time={seconds}", f"-seed={SEED}",
               f"-max_len={MAX_INPUT_BYTES}", f"-timeout={INPUT_LIMIT_SECONDS}",
               f"-rss_limit_mb={MEMORY_LIMIT_MB}", f"-artifact_prefix={found}/",
               "-use_value_profile=1", str(known), str(CORPUS / name)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    text = done.stderr.decode("utf-8", "replace")
    runs = re.search(r"^#(\d+)\s+DONE", text, re.MULTILINE)
    if done.returncode == 0 and runs:
        return True, f"held    {name}: {int(runs[1]):,} inputs", ""
    return False, f"BROKEN  {name}: see {found.relative_to(ROOT)}", \
        "\n".join(text.splitlines()[-SHOWN_LINES:])


def main():
    words = sys.argv[1:]
    seconds = SECONDS
    if words and words[-1].isdigit():
        seconds = int(words.pop())
    names = words or sorted(path.name for path in CORPUS.iterdir() if path.is_dir())
    broken = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for held, line, text in pool.map(lambda name: run(name, seconds), names):
            broken += not held
            print(line if held else f"{text}\n{line}", flush=True)
    print(f"{len(names) - broken} held, {broken} broken")
    sys.exit(1 if broken or not names else 0)


if __name__ == "__main__":
    main()
