"""The command line of the skeleton generator."""

import argparse
import keyword
import pathlib
import sys

from tools.lab import definitions
from tools.skeleton import ddf, render
from tools.skeleton.ddf import SkeletonError

PRIVATE = range(32769, 42769)  # object ids that nobody registers


def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.skeleton", description="make an object file")
    parser.add_argument("source", metavar="ID|FILE.xml", help="the number of a known object, or a definition as XML")
    parser.add_argument("--out", metavar="FILE", type=pathlib.Path, help="write there, in place of printing")
    parser.add_argument("--private", action="store_true", help="make it your own: a private number, for beside main.py")
    args = parser.parse_args(argv)
    try:
        text = skeleton(args.source, args.out, args.private)
        if args.out:
            with args.out.open("x", encoding="utf-8") as file:
                file.write(text)
    except FileExistsError:
        return _fail(f"{args.out} is there already, and may hold your work: take another name")
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}")
    except SkeletonError as error:
        return _fail(error)
    print(f"wrote {args.out}" if args.out else text, end="\n" if args.out else "")
    return 0


def skeleton(source, out=None, private=False):
    """The text of an object file; raises SkeletonError and OSError."""
    if out and not (out.suffix == ".py" and out.stem.isidentifier() and not keyword.iskeyword(out.stem)):
        raise SkeletonError(f"{out.name or out} cannot be imported: take a name like my_object.py")
    if source.isascii() and source.isdigit():
        found = definitions.objects().get(int(source)) if len(source) <= 5 else None
        if found is None:
            raise SkeletonError(f"no object {source} in the registry that comes along: give the XML of its definition")
    else:
        found = ddf.read(pathlib.Path(source))
    return render.render(found, _private_id(found.id) if private else found.id, module_of(out, found, private))


def _private_id(oid):
    """A number for an object of one's own: another one for each object that it may be derived from."""
    return oid if oid in PRIVATE else PRIVATE[oid % len(PRIVATE)]


def module_of(out, found, private):
    """What a program imports: the file's name, and its package if it lies among the library's objects."""
    stem = out.stem if out else render.file_name(found)
    in_library = out.resolve().parts[-4:-1] == ("lib", "lwm2m", "objects") if out else not private
    return "lwm2m.objects." + stem if in_library else stem


def _fail(error):
    print(error, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
