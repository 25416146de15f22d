from support import each, eq, near, noise, raises, show, truncated, unhex, xorshift32


def test_eq_names_both_values():
    error = raises(AssertionError, eq, b"\x01\xff", b"\x02", "payload")
    eq(str(error), "payload\n  is     2 bytes: 01 ff\n  wanted 1 bytes: 02")


def test_eq_tells_kinds_apart():
    each([(1, True), (1, 1.0), (0, False), ("a", None), ((1,), [1])], lambda a, b: raises(AssertionError, eq, a, b))


def test_eq_takes_any_buffer_for_bytes():
    eq(bytearray(b"ab"), b"ab")
    eq(memoryview(b"ab"), b"ab")


def test_near():
    near(21.25, 21.2500001)
    raises(AssertionError, near, 21.25, 21.26)
    raises(AssertionError, near, float("nan"), 1.0)


def test_raises_returns_the_exception_and_lets_others_through():
    eq(raises(ValueError, int, "x").__class__, ValueError)
    eq(str(raises(AssertionError, raises, ValueError, int, "7")), "ValueError expected, but it returned 7")
    raises(ZeroDivisionError, raises, ValueError, lambda: 1 // 0)


def test_each_wants_cases():
    raises(AssertionError, each, [], print)


def test_unhex():
    eq(unhex("44 01\n 3039 # ff\n# ee\n"), b"\x44\x01\x30\x39")
    eq(show(unhex("00 0a")), "2 bytes: 00 0a")
    raises(ValueError, unhex, "4")


def test_truncated():
    eq(list(truncated(b"abc")), [b"", b"a", b"ab"])


def test_noise_is_the_same_everywhere():
    states = [1]
    for _ in range(4):
        states.append(xorshift32(states[-1]))
    eq(states[1:], [270369, 67634689, 2647435461, 307599695])
    eq(list(noise(3, 5, seed=7)), [unhex("32 b8 8a"), unhex("e9"), unhex("77 f3 e4 a6")])
    eq({len(string) for string in noise(200, 3)}, {0, 1, 2, 3})
