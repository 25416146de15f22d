"""Runs plain test_* functions under MicroPython, one line a test:  micropython run_shared.py FILE...

    MICROPYPATH=".frozen:lib:host_tests/shared" .venv/bin/micropython -X heapsize=4m host_tests/run_shared.py FILE...

Exit status 0 if every test of every file passed and there was at least one in each file, else 1.
"""

import gc
import sys


def load(path):
    """Import the file at `path` as a module of its own, even if another file has the same name."""
    folder, _, name = path.rpartition("/")
    name = name[:-3]
    sys.modules.pop(name, None)
    sys.path.insert(0, folder or ".")
    try:
        return __import__(name)
    finally:
        sys.path.pop(0)


def run(path, label, test):
    """Call one test; True if it passed. Prints a line that starts with PASS or FAIL, then the traceback."""
    try:
        if test() is not None:
            raise AssertionError("a test returns nothing; async and generator tests do not run here")
    except (Exception, SystemExit) as error:
        print("FAIL %s::%s" % (path, label))
        sys.print_exception(error)
        return False
    print("PASS %s::%s" % (path, label))
    return True


def run_file(path):
    """Run the tests of one file in the order of their names; returns (passed, failed)."""
    holder = []
    if not run(path, "(import)", lambda: holder.append(load(path))):
        return 0, 1
    module = holder[0]
    names = sorted(name for name in dir(module) if name.startswith("test_"))
    passed = 0
    for name in names:
        gc.collect()
        passed += run(path, name, getattr(module, name))
    return passed, len(names) - passed if names else 1


def main(paths):
    """Run the files; returns the exit status."""
    passed = failed = 0
    for path in paths:
        result = run_file(path)
        passed += result[0]
        failed += result[1]
    print("%d passed, %d failed" % (passed, failed))
    return 0 if passed and not failed else 1


sys.exit(main(sys.argv[1:]))
