"""What the command line says of a running system's consumers: each that follows events, one without tables included."""

import pytest

from tests.system import System, launch, log_of


@pytest.mark.parametrize("consumer", ["portal", "scheduling"])
async def test_each_consumer_is_replayed_by_its_name(one_process: System, consumer: str) -> None:
    said = one_process.data.parent / f"replayed-{consumer}"
    replaying = await launch(said, "events", "--replay", consumer, "--data", str(one_process.data))
    assert await replaying.wait() == 0, log_of(said).read_text()
    assert f"\n{consumer} " in f"\n{log_of(said).read_text()}"


async def test_a_consumer_that_there_is_none_of_is_named_with_those_there_are(one_process: System) -> None:
    said = one_process.data.parent / "replayed-nobody"
    assert await (await launch(said, "events", "--replay", "nobody", "--data", str(one_process.data))).wait() == 1
    assert "portal" in log_of(said).read_text()
