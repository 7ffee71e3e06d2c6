"""Make the pictures of the page for operators anew: python tests/screenshots.py (make screenshots).

Over a small installation of simulated systems, with one record refused. Ages, ports and ids differ from run to run.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from browsing import REASON, WIDTHS, Installation, Seen, chromium, installation, signed_in, watched
from PIL import Image

from services.simulator import sources

DIRECTORY = Path(__file__).parents[1] / "docs" / "images"
COLOURS = 64
TALLEST = {1280: 1300, 390: 1100}


def read_by_itself() -> list[str]:
    """The systems that leave files or tables, and need nobody who answers."""
    return [name for name, source in sources().items() if source.feeds(Path("/") / source.place)]


def take(seen: Seen, name: str, width: int) -> None:
    """Write what is shown as a picture of few colours."""
    seen.page.wait_for_timeout(300)
    tall = min(TALLEST[width], seen.page.evaluate("document.documentElement.scrollHeight"))
    taken = seen.page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": tall})
    picture = Image.open(BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(DIRECTORY / f"console-{name}-{width}.png", optimize=True)


def pictures(seen: Seen, at: Installation, width: int) -> None:
    """Take every part that a token opens."""
    with seen.page.expect_response("**/console/api/overview"):
        pass  # the second look, which has rates
    take(seen, "flow", width)
    seen.go("systems/I94")
    take(seen, "system", width)
    seen.go("dead-letters")
    take(seen, "dead-letters", width)
    seen.page.get_by_role("link", name=REASON).click()
    seen.page.get_by_role("button", name="Edit the marked field").click()
    seen.page.evaluate("scrollTo(0, 0)")
    take(seen, "dead-letter", width)
    for name, part in {
        "trace": f"trace/i94%2F{at.spoilt.number}",
        "person": f"persons/i94%2F{at.spoilt.number}",
        "matches": "matches",
    }.items():
        seen.go(part)
        take(seen, name, width)


def main() -> None:
    """Take all of them at both widths."""
    DIRECTORY.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="visabus-screenshots-") as directory,
        chromium() as browser,
        installation(Path(directory), systems=read_by_itself()) as at,
    ):
        for width in WIDTHS:
            with watched(browser, at, width) as seen:
                seen.page.goto(at.address)
                seen.page.get_by_role("heading", name="Sign in").wait_for()
                take(seen, "sign-in", width)
            with signed_in(browser, at, width) as seen:
                pictures(seen, at, width)
    size = sum(path.stat().st_size for path in DIRECTORY.glob("console-*.png"))
    print(f"{len(list(DIRECTORY.glob('console-*.png')))} pictures, {size // 1024} KiB", file=sys.stderr)


if __name__ == "__main__":
    main()
