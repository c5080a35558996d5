from workbench.events import Finished, Stage
from workbench.face.pump import Pump


def test_news_arrives_in_order_and_nothing_is_lost_at_the_stop(qtbot):
    waiting = [[Stage("a"), Stage("b")], [], [Stage("c")]]
    last = [Finished(3)]
    pump = Pump(lambda: waiting.pop(0) if waiting else [])
    got = []
    pump.arrived.connect(got.extend)
    pump.start()
    qtbot.waitUntil(lambda: len(got) == 3)
    waiting.append(last)
    pump.stop()
    assert got == [Stage("a"), Stage("b"), Stage("c"), Finished(3)]


def test_nothing_is_asked_before_the_start(qtbot):
    asked = []
    pump = Pump(lambda: asked.append(1) or [])
    qtbot.wait(80)
    assert asked == []
    pump.stop()
    assert asked == [1]
