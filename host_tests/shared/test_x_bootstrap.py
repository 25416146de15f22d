"""Cases beyond the ETS (X-rows of the conformance list) about bootstrap, factory reset and the loss of accounts."""

from configurations import Bench
from configurations_bootstrap import c13, c14, resources, security, server, tlv
from support import each, eq

LIFETIME_s = 247  # EXCHANGE_LIFETIME


def bootstrapping(**settings):
    """C.13 after the answer to its Request."""
    world = c13(**settings)
    world.start()
    eq((world.bootstrap.state, len(world.bs.requests())), ("BOOTSTRAPPING", 1))
    return world


def registered(**settings):
    """A device that was bootstrapped and has registered; the link to the Bootstrap-Server is closed again."""
    world = bootstrapping(**settings)
    world.finish()
    world.advance(60)
    eq((world.bootstrap.state, world.server.state), ("IDLE", "REGISTERED"))
    world.bs.requests()
    world.server.requests()
    return world


def test_x_33_deleted_accounts_and_a_bootstrap_server():
    """Server instances created and deleted"""
    world = c14()
    world.start()
    eq([world.server.state, world.server2.state], ["REGISTERED"] * 2)
    world.server.requests()
    eq(world.server.delete("/1/0", wait=0).code, "2.02")
    eq(world.server.requests(), [])
    world.advance(1)
    eq([packet.code for packet in world.server.requests()], ["DELETE"])
    eq((world.instances(0), world.instances(1), len(world.client.sessions)), ([1, 2], [1], 2))
    eq(world.server2.get("/1/1/0").text, "2")
    eq(world.server2.delete("/1/1", wait=0).code, "2.02")
    world.advance(1)
    eq(([packet.code for packet in world.server2.requests()][-1], world.bootstrap.state), ("DELETE", "BOOTSTRAPPING"))


def test_x_34_factory_reset_forgets_a_bootstrap():
    """Factory reset"""
    world = registered()
    eq(world.server.post("/3/0/5", wait=0).code, "2.04")
    eq((world.server.requests(), world.bs.requests()), ([], []))
    world.advance(1)
    eq([packet.code for packet in world.server.requests()], ["DELETE"])
    eq([packet.path for packet in world.bs.requests()], ["/bs"])
    eq((world.instances(0), world.instances(1), world.store.found), ([1], [], {}))
    eq((world.client.registrations, len(world.client.sessions)), ([], 1))
    world.finish()
    eq(world.server.state, "REGISTERED")


def test_x_51_no_finish():
    """Silent Bootstrap-Server"""
    world = bootstrapping()
    world.advance(LIFETIME_s - 1)
    eq(world.write("/0", security()), "2.04")
    world.advance(LIFETIME_s - 1)
    eq((world.write("/1", server()), world.bs.delete("/3").code), ("2.04", "2.02"))
    world.advance(LIFETIME_s - 1)
    eq((world.bootstrap.state, world.instances(0), world.bs.requests()), ("BOOTSTRAPPING", [0, 1], []))
    world.advance(1)
    eq((world.bootstrap.state, world.instances(0), world.instances(1)), ("WAITING", [1], []))
    eq((world.bootstrap.link, world.store.found), ("closed", {}))
    world.advance(13)
    eq([packet.path for packet in world.bs.requests()], ["/bs"])
    world.bs.silent = True
    pauses = []
    world.advance(LIFETIME_s)
    for _ in range(7):
        while world.bootstrap.state != "WAITING":
            world.advance(1)
        pauses.append((world.bootstrap.due - world.now) // 1000)
        while world.bootstrap.state == "WAITING":
            world.advance(1)
    for pause, least in zip(pauses, (20, 40, 80, 160, 300, 300, 300)):
        assert least - 2 <= pause <= least * 1.25, pauses


def test_x_52_repeated_finish():
    """Repeated Finish"""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server())], ["2.04"] * 2)
    eq([world.bs.post("/bs").code, world.bs.again().code, world.bs.post("/bs", wait=0).code], ["2.04"] * 3)
    world.advance(1)
    eq((world.bs.post("/bs").code, world.server.state, world.store.saves), ("2.04", "REGISTERED", 1))
    eq([world.write("/1", server()), world.bs.get("/", accept=40).code], ["4.01", "4.01"])
    eq(world.bootstrap.state, "FINISHED")
    world.advance(60)
    eq((world.bootstrap.state, world.bs.post("/bs", wait=1)), ("IDLE", None))
    eq([packet.path for packet in world.server.requests()], ["/rd"])


def test_x_53_requests_of_others():
    """Others during bootstrap"""
    world = registered()
    for method, path in (("GET", "/"), ("GET", "/0"), ("DELETE", "/"), ("DELETE", "/0"), ("POST", "/bs")):
        reply = world.server.request(method, path, accept=40 if path == "/" else None)
        assert reply.code in ("4.00", "4.01", "4.05"), (method, path, reply.code)
    eq(world.server.put("/0/0", security()).code, "4.01")
    world.server.post("/1/0/9")
    world.advance(1)
    eq((world.bootstrap.state, world.server.state), ("BOOTSTRAPPING", "LOST"))
    eq((world.server.get("/3/0/0", wait=1), world.server.post("/bs", wait=1)), (None, None))
    eq(world.bs.get("/3/0/0").code, "4.05")
    eq(world.bs.post("/1/0/8").code, "4.05")


def test_x_54_delete_everything():
    """Bootstrap-Delete of everything"""
    world = c14([Bench()])
    world.start()
    world.server.post("/1/0/9")
    world.advance(1)
    eq(
        (world.bs.delete("/").code, world.bs.get("/", accept=40).text),
        ("2.02", "</>;lwm2m=1.1,</0/1>,</3>;ver=1.1,</3/0>"),
    )
    eq([world.bs.delete(path).code for path in ("/0/1", "/3/0", "/1/0", "/1/0/1")], ["4.00", "4.00", "4.04", "4.00"])
    eq((world.bs.delete("/0").code, world.bs.delete("/3").code, world.instances(0)), ("2.02", "2.02", [1]))
    world.finish()
    eq(
        (world.server.state, world.instances(1), world.instances(2), world.instances(32800)),
        ("REGISTERED", [0], [], []),
    )


def test_x_55_unknown_objects_and_resources():
    """Bootstrap-Write to the unknown"""
    world = bootstrapping(objects=[Bench()])
    asked = (
        ("/4711", tlv(0, 0, resources({0: b"\1"})), "4.04"),
        ("/4711/0", resources({0: b"\1"}), "4.04"),
        ("/4711/0/0", resources({0: b"\1"}), "4.04"),
        ("/32800/7", resources({0: b"\1"}), "4.05"),
        ("/1/0/99", resources({99: b"\1"}), "4.04"),
        ("/1/0/8", resources({8: b"\1"}), "4.05"),
        ("/1/0", resources({0: b"\1", 99: b"\1", 8: b""}), "2.04"),
        ("/0", security(values={98: b"x"}), "2.04"),
    )
    each(asked, lambda path, payload, code: eq(world.write(path, payload), code))
    account = world.client.tree.objects[1][0]
    eq((account.ssid, account.lifetime, callable(account.update_trigger)), (1, None, True))


def test_x_56_refused_for_good():
    """Refused Register"""
    for code in ("4.03", "4.00"):
        world = c13(count=1, RETRY_COUNT=3, RETRY_TIMER_s=60)
        world.server.answer = lambda packet, code=code: code
        world.start()
        world.advance(400)
        times = [packet.at // 1000 for packet in world.server.requests()]
        (request,) = world.bs.requests()
        eq(len(times), 3)
        assert 60 <= times[1] <= 75 and 120 <= times[2] - times[1] <= 150, times
        eq((request.path, request.at // 1000 - times[2]), ("/bs", 0))
        eq(world.bootstrap.state, "BOOTSTRAPPING")
        eq(world.write("/1/0", resources({0: b"\1"})), "2.04")


def test_x_56_bootstrap_is_forbidden():
    """Refused Register"""
    world = c13(count=1, RETRY_COUNT=1)
    world.client.tree.objects[1][0].bootstrap_on_failure = False
    world.server.answer = lambda packet: "4.03"
    world.start()
    world.advance(100000)
    eq((world.server.state, world.bs.requests(), len(world.server.requests())), ("FAILED", [], 1))
