"""worker_pool.py [JOBS [KILLS]] - an asyncio server with a pool of workers, of which some
are killed with a job in their hands: every job is done all the same.

The server sends jobs to the queue "Jobs" and awaits the queue "Done" in its event loop.
A worker's job goes to another worker if it dies; the server starts a new one in its place.
"""
import asyncio
import multiprocessing
import os
import random
import signal
import sys
from multiprocessing.context import SpawnProcess

import mmf

SIZE, SLOTS = 64, 64


def work(jobs: mmf.Queue, done: mmf.Queue) -> None:
    while (job := jobs.take()) is not None:
        with job:  # released, that is acknowledged, after the answer was sent
            done.send(b"%d %d" % (int(bytes(job.data)), os.getpid()))


class Pool:
    def __init__(self, workers: int) -> None:
        self.jobs = mmf.Queue("Jobs", SIZE, SLOTS, mmf.Overflow.BLOCK)
        self.done = mmf.Queue("Done", SIZE, SLOTS, mmf.Overflow.BLOCK)
        self.context = multiprocessing.get_context("spawn")
        self.workers = [self.start() for _ in range(workers)]

    def start(self) -> SpawnProcess:
        # The queues are pickled by their names.
        worker = self.context.Process(target=work, args=(self.jobs, self.done), daemon=True)
        worker.start()
        return worker

    async def replace_the_dead(self) -> None:
        while True:
            for at, worker in enumerate(self.workers):
                if not worker.is_alive():
                    self.workers[at] = self.start()
            await asyncio.sleep(0.05)


async def send(pool: Pool, count: int) -> None:
    for number in range(count):
        await pool.jobs.send_async(b"%d" % number)


async def kill(pool: Pool, count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0.1)
        victim = random.choice(pool.workers)
        if victim.pid is not None:
            os.kill(victim.pid, signal.SIGKILL)


async def serve(count: int, kills: int) -> None:
    pool = Pool(3)
    answers: set[int] = set()
    helpers = [asyncio.create_task(send(pool, count)),
               asyncio.create_task(pool.replace_the_dead())]
    answered = 0
    async for text in pool.done:
        if not answers:
            helpers.append(asyncio.create_task(kill(pool, kills)))
        answers.add(int(text.split()[0]))
        answered += 1
        if len(answers) == count and all(task.done() for task in helpers[::2]):
            break
        if len(answers) == count:
            break
    for task in helpers:
        task.cancel()
    print(f"{count} jobs: {count - len(answers)} lost, {answered - len(answers)} done again.")
    for worker in pool.workers:
        worker.kill()
        worker.join()


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]] + [20000, 5][len(sys.argv) - 1:]
    asyncio.run(serve(*arguments[:2]))
