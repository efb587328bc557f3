"""The queue: which texts make a batch, bounds, and batches that a worker lost."""

import asyncio

import pytest

from kerasnlp_lab.serving.batches import Batcher, QueueFull, Reply, Request


def requests(lengths, **how):
    """Returns a request of one text for each length in tokens, about."""
    how = {"signature": "serving_default", "arrays": False, **how}
    return [Request([(b"x" * (4 * length - 8),)], **how) for length in lengths]


def batcher(**changed):
    sizes = {"batch_texts": 4, "batch_tokens": 100, "batch_wait": 0.01, "max_queue": 10}
    return Batcher(**{**sizes, **changed})


def lengths(batch):
    return [item.tokens for item in batch]


def run(test):
    return asyncio.run(test())


def filled(given, **changed):
    queue = batcher(**changed)
    for one in given:
        queue.put(one)
    return queue


@pytest.mark.parametrize(
    "waiting, changed, expected",
    [
        ([10, 10, 10], {}, [10, 10, 10]),
        ([10] * 6, {}, [10] * 4),
        ([10, 90, 12, 80, 9], {}, [10, 9, 12]),
        ([60, 10, 50, 40], {}, [60]),
        ([50, 10, 50, 40], {}, [50, 50]),
        ([500, 10], {}, [500]),
        ([500, 10], {"most_tokens": 32}, [500, 10]),
    ],
    ids=["all", "most texts", "like lengths", "a long one", "padding", "too long", "cut"],
)
def test_the_oldest_text_and_those_of_like_length(waiting, changed, expected):
    async def test():
        return lengths(await filled(requests(waiting), **changed).take())

    assert run(test) == expected


def test_every_text_gets_its_turn():
    async def test():
        queue, taken = filled(requests([10, 90, 12, 80, 9, 30])), []
        while len(queue):
            taken += lengths(await queue.take())
            queue.done()
        return taken

    assert sorted(run(test)) == [9, 10, 12, 30, 80, 90]


def test_a_full_queue_takes_no_part_of_a_request():
    async def test():
        queue = filled(requests([1] * 9))
        with pytest.raises(QueueFull):
            queue.put(Request([(b"a",), (b"b",)], signature="serving_default", arrays=False))
        assert len(queue) == 9
        queue.put(*requests([1]))
        assert len(queue) == 10

    run(test)


def test_an_idle_worker_gets_a_text_at_once_and_a_busy_one_waits_for_more():
    async def test():
        queue = filled(requests([10]), batch_wait=0.2)
        first = await asyncio.wait_for(queue.take(), 0.1)
        second = asyncio.create_task(queue.take())
        for one in requests([10, 11, 12]):
            queue.put(one)
            await asyncio.sleep(0.01)
        return lengths(first), lengths(await second)

    assert run(test) == ([10], [10, 11, 12])


def test_a_request_that_nobody_waits_for_is_not_computed():
    async def test():
        given = requests([10, 10])
        queue = filled(given)
        given[0].future.cancel()
        batch = await queue.take()
        assert [item.request for item in batch] == [given[1]]
        assert not queue.idle
        queue.done()
        assert queue.idle

    run(test)


def test_a_lost_batch_is_tried_again_one_text_at_a_time_and_then_given_up():
    async def test():
        given = requests([10, 10])
        queue = filled(given)
        queue.put_back(await queue.take(), ValueError("lost"))
        for attempt in (2, 3):
            batches = [await queue.take(), await queue.take()]
            assert [len(batch) for batch in batches] == [1, 1]
            for batch in batches:
                if batch[0].request is given[0]:
                    queue.put_back(batch, ValueError("lost"))
                else:
                    batch[0].request.answer(0, Reply(["{}"], {}))
                    queue.done()
            if attempt == 2:
                queue.put(*requests([10]))
        return await asyncio.gather(*(one.future for one in given), return_exceptions=True)

    lost, answered = run(test)
    assert str(lost) == "lost"
    assert answered == [Reply(["{}"], {})]


def test_a_request_apart_shares_no_batch():
    async def test():
        rows = [(b"a",)] * 5
        apart = Request(rows, signature="logits", arrays=True, apart=True, most_rows=2)
        queue = filled([*requests([10]), apart, *requests([10])], max_queue=20)
        batches = []
        while len(queue):
            batches.append(await queue.take())
            queue.done()
        return [[len(item.rows) for item in batch] for batch in batches]

    assert run(test) == [[1, 1], [2], [2], [1]]


def test_replies_come_in_the_order_of_the_texts():
    async def test():
        rows = [(b"a",), (b"b",), (b"c",)]
        request = Request(rows, signature="serving_default", arrays=False)
        for place in (2, 0, 1):
            request.answer(place, Reply([str(place)], {}))
        return [one.answers for one in await request.future]

    assert run(test) == [["0"], ["1"], ["2"]]


def test_under_load_the_first_text_that_comes_back_waits_for_the_others():
    async def test():
        queue = filled(requests([10, 10]), batch_wait=0.05)
        await queue.take()
        queue.done()
        queue.put(*requests([10]))
        batch = asyncio.create_task(queue.take())
        for _ in range(3):
            await asyncio.sleep(0.01)
            queue.put(*requests([10]))
        after_load = lengths(await batch)
        queue.done()
        queue.put(*requests([10]))
        lone = lengths(await queue.take())
        queue.done()
        queue.put(*requests([10]))
        idle = await asyncio.wait_for(queue.take(), 0.03)
        return after_load, lone, lengths(idle)

    assert run(test) == ([10] * 4, [10], [10])
