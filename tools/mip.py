"""package.json, from which mip and mpremote install lib/ onto a board.  python -m tools.mip writes it anew."""

import json
import tomllib

from tools.mpy import ROOT, board_files

PATH = ROOT / "package.json"


def manifest():
    """The text of package.json: every file of lib/, addressed relative to it, so that a fork needs no edit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    urls = ",\n".join(f"    {json.dumps([name, 'lib/' + name])}" for name in board_files())
    return f'{{\n  "name": "{project["name"]}",\n  "version": "{project["version"]}",\n  "urls": [\n{urls}\n  ]\n}}\n'


if __name__ == "__main__":
    PATH.write_text(manifest())
    print(f"wrote {PATH.name}")
