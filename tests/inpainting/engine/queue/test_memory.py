"""Which models stay loaded."""

from contextlib import ExitStack

from inpainting.engine.queue.lazy import Lazy
from inpainting.engine.queue.memory import Memory

SIZES = {"a": 40.0, "b": 40.0, "c": 40.0, "huge": 500.0}


def models(budget: float = 100) -> dict[str, Lazy[object]]:
    memory = Memory(lambda: budget)

    def model(name: str) -> Lazy[object]:
        def load() -> object:
            memory.admit(lazy, SIZES[name])
            return object()

        lazy = Lazy(name, load)
        return lazy

    return {name: model(name) for name in SIZES}


def use(model: Lazy[object]) -> None:
    with model.use():
        pass


def loaded(models: dict[str, Lazy[object]]) -> str:
    return " ".join(name for name, model in models.items() if model.made is not None)


def test_it_works() -> None:
    found = models()
    use(found["a"])
    use(found["b"])
    assert loaded(found) == "a b"
    use(found["a"])
    use(found["c"])
    assert loaded(found) == "a c"  # b was used longest ago


def test_what_is_in_use_stays_though_it_was_taken_longest_ago() -> None:
    found = models()
    with found["a"].use():
        use(found["b"])
        use(found["c"])
        assert loaded(found) == "a c"


def test_a_request_is_worth_more_than_the_budget() -> None:
    found = models()
    with ExitStack() as stack:
        for name in "abc":
            stack.enter_context(found[name].use())
        assert loaded(found) == "a b c"
    use(found["huge"])
    assert loaded(found) == "huge"


def test_no_more_is_unloaded_than_has_to_be() -> None:
    found = models(budget=120)
    for name in "abc":
        use(found[name])
    assert loaded(found) == "a b c"


def test_what_could_not_be_loaded_takes_no_room() -> None:
    memory, failed = Memory(lambda: 100), Lazy("failed", object)
    kept, more = Lazy("kept", object), Lazy("more", object)
    memory.admit(kept, 50)
    use(kept)
    memory.admit(failed, 50)  # and then its file was damaged
    memory.admit(more, 50)
    assert kept.made is not None
