"""What another build makes of the same inputs: `python -m tests.systems.same_as OLD_CHECKOUT`.

Both builds decode every input of the cases, each in a process of its own. What differs is printed, ids and digests
aside, and counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from adapters.decode import decode_file
from adapters.registry import systems

known = systems()
for line in sys.stdin:
    system, case, path = json.loads(line)
    events, told = [], []
    for result in decode_file(known[system], path, name=case):
        for event in result.events:
            body = event.model_dump(mode="json", exclude_none=True)
            del body["id"], body["revision"]["digest"], body["mapping_version"]
            events.append(body)
        if result.refused is not None:
            told.append(f"refused {result.refused.place}: {result.refused.reason}")
        if result.filtered is not None:
            told.append(f"filtered {result.read.place}: {result.filtered}")
        for lost in getattr(result, "lost", ()):
            told.append(f"lost {result.read.place}: {lost.reason}")
    print(json.dumps([case, events, told]))
"""
Answers = dict[str, tuple[list[Any], list[str]]]


def answers(checkout: Path, inputs: list[tuple[str, str, str]]) -> Answers:
    """What a build makes of the inputs, by case."""
    python = checkout / ".venv/bin/python"
    done = subprocess.run(
        [str(python if python.exists() else sys.executable), "-c", PROGRAM],
        input="".join(json.dumps(one) + "\n" for one in inputs),
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    result = (json.loads(line) for line in done.stdout.splitlines())
    return {case: (events, message) for case, events, message in result}


def differences(old: Answers, new: Answers) -> dict[str, list[str]]:
    """Case to lines that only one of the builds says."""
    by_name: dict[str, list[str]] = {}
    for case in old:
        lines = []
        for sign, mine, other in (("-", old[case], new[case]), ("+", new[case], old[case])):
            lines += [f"{sign} {json.dumps(event, sort_keys=True)}" for event in mine[0] if event not in other[0]]
            lines += [f"{sign} {line}" for line in mine[1] if line not in other[1]]
        if lines:
            by_name[case] = lines
    return by_name


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a checkout of the other build, with its .venv")
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from systems.cases import cases

    with tempfile.TemporaryDirectory() as directory:
        inputs = []
        for number, case in enumerate(cases()):
            path = Path(directory) / f"{number}"
            path.write_bytes(case.input())
            inputs.append((case.system, case.name, str(path)))
        result = differences(answers(given.old, inputs), answers(ROOT, inputs))
    for case, lines in result.items():
        print(case)
        print("".join(f"  {line}\n" for line in lines), end="")
    print(f"{len(inputs)} cases, {len(result)} differ")


if __name__ == "__main__":
    main()
