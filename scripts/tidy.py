"""Runs clang-tidy over the sources, and remembers which of them passed.

usage: tidy.py [FILE…]   (without any: all of src/)

A file that passed is looked at again when it, a header of ours that it reaches, or the set of checks
has changed: build/tidy keeps a stamp for each.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
STAMPS = ROOT / "build/tidy"
COMMAND = [
    "clang-tidy-14", "-p", str(ROOT / "build/release"), "--quiet",
    # The flags are GCC's, and clang 14 has coroutines without saying so.
    "--extra-arg=-Wno-everything", "--extra-arg=-D__cpp_impl_coroutine=201902L",
]
# clang 14's analyzer does not see how a coroutine runs: it takes awaiters for uninitialised, and what is
# moved at the end for moved before.
WITHOUT_ANALYZER = "--checks=-clang-analyzer-*"
COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def our_files(name, seen):
    """`name` and all of our headers that it reaches."""
    if name in seen:
        return seen
    seen.add(name)
    for included in INCLUDE.findall((ROOT / name).read_text(encoding="utf-8")):
        for folder in ("src", "tests"):
            if (ROOT / folder / included).exists():
                our_files(f"{folder}/{included}", seen)
    return seen


def stamp_of(name):
    digest = hashlib.sha256(" ".join([*COMMAND, WITHOUT_ANALYZER]).encode())
    for part in [".clang-tidy", *sorted(our_files(name, set()))]:
        digest.update(part.encode() + b"\0" + (ROOT / part).read_bytes())
    return STAMPS / digest.hexdigest()


def check(name):
    """What clang-tidy says against it; empty when nothing."""
    stamp = stamp_of(name)
    if stamp.exists():
        return ""
    has_coroutines = COROUTINE.search((ROOT / name).read_text(encoding="utf-8"))
    options = [WITHOUT_ANALYZER] if has_coroutines else []
    done = subprocess.run([*COMMAND, *options, name], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr


def main():
    names = sys.argv[1:] or sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.cpp"))
    STAMPS.mkdir(parents=True, exist_ok=True)
    faulty = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, said in zip(names, pool.map(check, names)):
            if said:
                faulty += 1
                print(f"---- {name}\n{said}", flush=True)
    print(f"clang-tidy: {len(names)} files, {faulty} with findings")
    sys.exit(1 if faulty else 0)


if __name__ == "__main__":
    main()
