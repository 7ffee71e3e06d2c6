"""What this project is made of: an SBOM (CycloneDX, JSON) and a list of licences, from what is installed.

    python deploy/supply/sbom.py DIRECTORY

The packages are those of requirements.txt: what runs, with the hashes by which it was installed; no tools of the tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
LOCKED = ROOT / "requirements.txt"
_LINE = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """One that is installed."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]
    needs: tuple[str, ...]


def normal(name: str) -> str:
    """A name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> version and hashes of a file of requirements, those for other machines left out."""
    result = {}
    text = file.read_text()
    lines = list(_LINE.finditer(text))
    for line, after in zip(lines, [*(each.start() for each in lines[1:]), len(text)], strict=True):
        result[normal(line[1])] = (line[2], tuple(_HASH.findall(text[line.start() : after])))
    return result


def licence_of(of: Distribution) -> str:
    """The licence as the package tells it: an expression (PEP 639), else its classifiers, else its own words."""
    told = of.metadata
    if expression := told.get("License-Expression"):
        return str(expression)
    lines = [line for line in told.get_all("Classifier") or () if "License :: " in line]
    classifiers = [line.rpartition(" :: ")[2] for line in lines if not line.endswith("OSI Approved")]
    if classifiers:
        return " AND ".join(sorted(classifiers))
    return (str(told.get("License") or "not told").strip().splitlines() or ["not told"])[0][:80]


def packages(file: Path = LOCKED) -> Iterator[Package]:
    """What is locked and installed here. Raises PackageNotFoundError, ValueError for another version than is locked."""
    for name, (version, hashes) in sorted(locked(file).items()):
        of = distribution(name)
        if of.version != version:
            raise ValueError(f"{name} is installed as {of.version}, and locked as {version}")
        asked = [need for need in of.requires or () if "extra ==" not in need]
        needs = {normal(re.split(r"[\s;<>=!~\[(]", need, maxsplit=1)[0]) for need in asked}
        yield Package(name, version, licence_of(of), hashes, tuple(sorted(needs)))


def bom_of(listed: Mapping[str, Package], own: str, version: str) -> Bom:
    """The SBOM, with who needs whom."""
    bom = Bom()
    bom.metadata.component = Component(type=ComponentType.APPLICATION, name=own, version=version, bom_ref=own)
    components = {name: _component(each) for name, each in listed.items()}
    bom.components.update(components.values())
    bom.register_dependency(bom.metadata.component, components.values())
    for name, each in listed.items():
        bom.register_dependency(components[name], [components[need] for need in each.needs if need in components])
    return bom


def _component(each: Package) -> Component:
    spdx = not re.search(r"\b(License|not told)\b", each.licence) and re.fullmatch(r"[A-Za-z0-9.+ ()-]+", each.licence)
    licence = LicenseExpression(each.licence) if spdx else DisjunctiveLicense(name=each.licence)
    purl = PackageURL("pypi", name=each.name, version=each.version)
    return Component(
        type=ComponentType.LIBRARY,
        name=each.name,
        version=each.version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[licence],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content) for content in each.hashes[:1]],
    )


def licences(listed: Mapping[str, Package]) -> str:
    """The list of licences, a package a line."""
    return "".join(f"{each.name} {each.version}: {each.licence}\n" for each in listed.values())


def write(directory: Path) -> None:
    """Write sbom.json and licences.txt."""
    listed = {each.name: each for each in packages()}
    directory.mkdir(parents=True, exist_ok=True)
    bom = bom_of(listed, "visabus", distribution("visabus").version)
    (directory / "sbom.json").write_text(JsonV1Dot6(bom).output_as_string(indent=1))
    (directory / "licences.txt").write_text(licences(listed))
    sys.stdout.write(f"{directory}/sbom.json, {directory}/licences.txt: {len(listed)} packages\n")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "var"))
