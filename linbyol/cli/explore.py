"""linbyol explore"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Explore:
    """Write the explorer: one HTML file with a phase plane to drag and slide, which needs no server and no network.

    Example: linbyol explore --out explorer.html --open
    """

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("explorer.html")
    """file to write"""
    open: bool = False
    """show it in the browser"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol import outputs, store

        outputs.check_outputs(out=(self.out, outputs.PAGE))
        from linbyol.explorer import explorer

        store.write_text(self.out, explorer())
        print(store.to_json({"written": self.out}) if self.json else self.out)
        if self.open:
            import webbrowser

            webbrowser.open(self.out.resolve().as_uri())
        return 0
