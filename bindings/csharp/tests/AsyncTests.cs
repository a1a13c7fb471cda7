// Waits without a thread: of events and semaphores, and of channels.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Mmf.Channels;
using Xunit;
using static Mmf.Tests.ChannelTests;
using SystemThreading = System.Threading;

namespace Mmf.Tests;

public class AsyncTests
{
    private static readonly TimeSpan aMoment = TimeSpan.FromMilliseconds(1);

    private static async Task<T> Cancelled<T>(Func<Task> wait) where T : OperationCanceledException
    {
        T exception = await Assert.ThrowsAnyAsync<T>(() => wait().WaitAsync(Deadline));
        return exception;
    }

    //
    // Events and semaphores.
    //

    [Fact]
    public async Task One_event()
    {
        using var signal = new EventWaitHandle(false, EventResetMode.AutoReset, NewName());
        Assert.False(await signal.WaitOneAsync(TimeSpan.Zero));
        Assert.False(await signal.WaitOneAsync(aMoment));
        Task wait = signal.WaitOneAsync();
        Assert.False(wait.IsCompleted);
        signal.Set();
        await wait.WaitAsync(Deadline);
        Assert.False(signal.WaitOne(0)); // it was taken
        signal.Set();
        Assert.True(signal.WaitOneAsync().IsCompletedSuccessfully);
        Assert.False(signal.WaitOne(0));
    }

    [Fact]
    public async Task A_semaphore_wakes_as_many_as_it_has()
    {
        using var semaphore = new Semaphore(0, 100, NewName());
        Task[] waits = Enumerable.Range(0, 50).Select(_ => semaphore.WaitOneAsync()).ToArray();
        semaphore.Release(20);
        for (Task[] left = waits; left.Length > 30; left = waits.Where(wait => !wait.IsCompleted).ToArray())
            await Task.WhenAny(left).WaitAsync(Deadline);
        Assert.False(semaphore.WaitOne(0));
        semaphore.Release(31);
        await Task.WhenAll(waits).WaitAsync(Deadline);
        Assert.True(await semaphore.WaitOneAsync(TimeSpan.Zero));
        Assert.False(semaphore.WaitOne(0));
    }

    [Fact]
    public async Task Any_of_several()
    {
        using var first = new ManualResetEvent(false);
        using var second = new EventWaitHandle(false, EventResetMode.AutoReset, NewName());
        using var third = new Semaphore(0, 1);
        WaitHandle[] all = [first, second, third];
        Assert.Equal(WaitHandle.WaitTimeout, await WaitHandle.WaitAnyAsync(all, aMoment));
        Task<int> wait = WaitHandle.WaitAnyAsync(all);
        third.Release();
        Assert.Equal(2, await wait.WaitAsync(Deadline));
        second.Set();
        first.Set();
        Assert.Equal(0, await WaitHandle.WaitAnyAsync(all));
        first.Reset();
        Assert.Equal(1, await WaitHandle.WaitAnyAsync([first, second, second]));
    }

    // Cancelled, it takes nothing.
    [Fact]
    public async Task Cancellation()
    {
        using var semaphore = new Semaphore(0, 1, NewName());
        using var cancel = new CancellationTokenSource();
        Task wait = semaphore.WaitOneAsync(cancel.Token);
        Task<int> any = WaitHandle.WaitAnyAsync([semaphore], Deadline, cancel.Token);
        cancel.Cancel();
        Assert.Equal(cancel.Token, (await Cancelled<OperationCanceledException>(() => wait)).CancellationToken);
        await Cancelled<OperationCanceledException>(() => any);
        Assert.True(any.IsCanceled);
        Assert.True(semaphore.WaitOneAsync(cancel.Token).IsCanceled);
        semaphore.Release();
        Assert.True(semaphore.WaitOne(0));
    }

    [Fact]
    public async Task A_mutex_has_no_asynchronous_wait_and_says_why()
    {
        using var mutex = new Mutex();
        using var signal = new AutoResetEvent(true);
        NotSupportedException exception = await Assert.ThrowsAsync<NotSupportedException>(() => mutex.WaitOneAsync());
        Assert.Contains("a thread owns it", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Semaphore", exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => WaitHandle.WaitAnyAsync([signal, mutex]));
        await Assert.ThrowsAsync<NotSupportedException>(() => mutex.WaitOneAsync(aMoment));
        using var system = new SystemThreading.Mutex();
        await Assert.ThrowsAsync<NotSupportedException>(() => WaitHandle.WaitAnyAsync([signal, system]));
        Assert.True(signal.WaitOne(0)); // nothing was taken
    }

    [Fact]
    public async Task Bad_arguments()
    {
        using var signal = new AutoResetEvent(true);
        await Assert.ThrowsAsync<ArgumentNullException>("waitHandles", () => WaitHandle.WaitAnyAsync(null!));
        await Assert.ThrowsAsync<ArgumentException>("waitHandles", () => WaitHandle.WaitAnyAsync([]));
        await Assert.ThrowsAsync<ArgumentNullException>("waitHandles[1]", () => WaitHandle.WaitAnyAsync([signal, null!]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("timeout",
            () => WaitHandle.WaitAnyAsync([signal], TimeSpan.FromMilliseconds(-2)));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => WaitHandle.WaitAnyAsync(Enumerable.Repeat<WaitHandle>(signal, 65).ToArray()));
        signal.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => signal.WaitOneAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => signal.WaitOneAsync(aMoment));
    }

    // .NET's own handles need a thread.
    [Fact]
    public async Task Mixed_with_dotnets_own()
    {
        using var ours = new AutoResetEvent(false);
        using var cancel = new CancellationTokenSource();
        using var stop = new CancellationTokenSource();
        WaitHandle[] both = [ours, cancel.Token.WaitHandle];
        Task<int> wait = WaitHandle.WaitAnyAsync(both);
        cancel.Cancel();
        Assert.Equal(1, await wait.WaitAsync(Deadline));
        ours.Set();
        Assert.Equal(0, await WaitHandle.WaitAnyAsync(both).WaitAsync(Deadline));
        WaitHandle never = new SystemThreading.AutoResetEvent(false);
        Assert.False(await never.WaitOneAsync(aMoment));
        wait = WaitHandle.WaitAnyAsync([never, ours], stop.Token);
        stop.Cancel();
        await Cancelled<OperationCanceledException>(() => wait);
        ours.Set();
        Assert.True(ours.WaitOne(0));
    }

    // An object that is disposed meanwhile stays open until the wait is over.
    [Fact]
    public async Task Disposed_during_the_wait()
    {
        string name = NewName();
        var signal = new EventWaitHandle(false, EventResetMode.AutoReset, name);
        Task wait = signal.WaitOneAsync();
        signal.Dispose();
        Assert.True(EventWaitHandle.TryOpenExisting(name, out EventWaitHandle? other));
        other!.Set();
        await wait.WaitAsync(Deadline);
        other.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    private static int Threads() => Process.GetCurrentProcess().Threads.Count;

    [Fact]
    public async Task A_thousand_waits_need_no_thread_each()
    {
        string name = NewName();
        using var signal = new EventWaitHandle(false, EventResetMode.ManualReset, name);
        var events = Enumerable.Range(0, 100).Select(i => new EventWaitHandle(
            false, EventResetMode.ManualReset, $"{name}-{i}")).ToArray();
        int before = Threads();
        Task<int>[] waits = Enumerable.Range(0, 1000).Select(i => WaitHandle.WaitAnyAsync([signal, events[i % 100]])).ToArray();
        Assert.InRange(Threads(), 0, before + 100); // of the pool, for other tests
        Assert.DoesNotContain(waits, wait => wait.IsCompleted);
        events[7].Set();
        await Task.WhenAll(waits.Where((_, i) => i % 100 == 7)).WaitAsync(Deadline);
        Assert.Equal(10, waits.Count(wait => wait.IsCompleted));
        signal.Set();
        await Task.WhenAll(waits).WaitAsync(Deadline);
        Assert.All(waits.Where((_, i) => i % 100 != 7), wait => Assert.Equal(0, wait.Result));
        foreach (EventWaitHandle one in events)
            one.Dispose();
    }

    //
    // Channels.
    //

    [Fact]
    public async Task Receiving()
    {
        string name = NewName();
        using SharedQueue producer = SharedQueue.CreateNew(name, 64, 8, ChannelOverflow.Block);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        Task<byte[]> bytes = consumer.ReceiveAsync().AsTask();
        Assert.False(bytes.IsCompleted);
        producer.Send("woken"u8);
        Assert.Equal("woken", Text(await bytes.WaitAsync(Deadline)));
        producer.Send(new Job(1, 2, 3));
        Assert.Equal(new Job(1, 2, 3), await consumer.ReceiveAsync<Job>());
        Task wait = consumer.WaitToReceiveAsync();
        producer.Send(1);
        await wait.WaitAsync(Deadline);
        Assert.Equal(1, consumer.Receive<int>()); // nothing was taken
    }

    [Fact]
    public async Task Messages_come_in_order()
    {
        const int count = 2000;
        string name = NewName();
        using SharedQueue consumer = SharedQueue.CreateNew(name, 8, 16, ChannelOverflow.Block,
                                                           new ChannelOptions { Roles = ChannelRoles.Receive, EndWithLastPeer = true });
        var sender = new Thread(() =>
        {
            using SharedQueue producer = SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send });
            for (int i = 0; i < count; i++)
                producer.Send(i);
        });
        sender.Start();
        int next = 0;
        using var deadline = new CancellationTokenSource(Deadline);
        await foreach (int number in consumer.ReadAllAsync<int>(deadline.Token))
            Assert.Equal(next++, number);
        Assert.Equal(count, next);
        Assert.True(sender.Join(Deadline));
    }

    [Fact]
    public async Task Sending_waits_for_space()
    {
        string name = NewName();
        using SharedQueue producer = SharedQueue.CreateNew(name, 8, 1, ChannelOverflow.Block);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        ulong first = await producer.SendAsync(new byte[] { 1 });
        ValueTask<ulong> second = producer.SendAsync(new byte[] { 2 });
        Assert.False(second.IsCompleted);
        Assert.Equal([1], consumer.Receive());
        Assert.True(await second.AsTask().WaitAsync(Deadline) > first);
        Assert.Equal([2], consumer.Receive());
        await producer.SendAsync(new byte[] { 3 });
        using var cancel = new CancellationTokenSource();
        Task cancelled = producer.SendAsync(new byte[] { 4 }, cancel.Token).AsTask();
        cancel.Cancel();
        await Cancelled<OperationCanceledException>(() => cancelled);
        Assert.Equal([3], consumer.Receive());
        Assert.False(consumer.TryReceive(out byte[]? _));
    }

    [Fact]
    public async Task Topics()
    {
        string name = NewName();
        using SharedTopic publisher = SharedTopic.CreateNew(name, 8, 8, ChannelOverflow.DropOldest);
        using SharedTopic one = SharedTopic.OpenExisting(name);
        using SharedTopic other = SharedTopic.OpenExisting(name);
        Task<int> first = one.ReceiveAsync<int>().AsTask(), second = other.ReceiveAsync<int>().AsTask();
        publisher.Send(5);
        int[] both = await Task.WhenAll(first, second).WaitAsync(Deadline);
        Assert.Equal([5, 5], both);
    }

    // Each newer value, once.
    [Fact]
    public async Task Latest_values()
    {
        string name = NewName();
        using SharedLatest writer = SharedLatest.CreateNew(name, 8, new ChannelOptions { Roles = ChannelRoles.Send });
        using SharedLatest reader = SharedLatest.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Receive, EndWithLastPeer = true });
        Task<int> first = reader.ReceiveAsync<int>().AsTask();
        writer.Send(1);
        Assert.Equal(1, await first.WaitAsync(Deadline));
        Assert.Equal(1, reader.Receive<int>()); // again
        Task<int> second = reader.ReceiveAsync<int>().AsTask();
        Assert.False(second.IsCompleted); // not again
        writer.Send(2);
        Assert.Equal(2, await second.WaitAsync(Deadline));
        writer.Send(3);
        var seen = new List<int>();
        await foreach (int value in reader.ReadAllAsync<int>())
        {
            seen.Add(value);
            if (value == 3)
                writer.Send(4);
            else
                writer.Dispose();
        }
        Assert.Equal([3, 4], seen);
    }

    [Fact]
    public async Task Cancelled_it_receives_nothing()
    {
        string name = NewName();
        using SharedQueue queue = SharedQueue.CreateNew(name, 8, 8, ChannelOverflow.Block);
        using SharedQueue producer = SharedQueue.OpenExisting(name);
        for (int i = 0; i < 20; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<byte[]> wait = queue.ReceiveAsync(cancel.Token).AsTask();
            cancel.Cancel();
            await Cancelled<OperationCanceledException>(() => wait);
            producer.Send(i);
            Assert.Equal(i, await queue.ReceiveAsync<int>());
        }
        Assert.True(queue.WaitToReceiveAsync(new CancellationToken(true)).IsCanceled);
        Assert.True(queue.ReceiveAsync(new CancellationToken(true)).IsCanceled);
    }

    //
    // Cancelled at any moment, in a race with what ends the wait: nothing is lost, and nothing comes twice.
    //

    private const int Tries = 1000;

    /// <summary>Two threads at once: the wait that `begin` makes, once it is there, is cancelled and `end`ed.</summary>
    /// <returns>Whether the wait has ended before it was cancelled.</returns>
    private static async Task<bool> Race(int number, Func<CancellationToken, Task> begin, Action end)
    {
        using var cancel = new CancellationTokenSource();
        using var both = new Barrier(2);
        bool isBegunLate = number % 4 == 0; // then the wait races with both
        Task? wait = isBegunLate ? null : begin(cancel.Token);
        Task ended = Task.Run(() =>
        {
            both.SignalAndWait();
            Thread.SpinWait(number * 7 % 400);
            end();
        });

        both.SignalAndWait();
        Thread.SpinWait(number * 13 % 400);
        wait ??= Task.Run(() => begin(cancel.Token));
        cancel.Cancel();
        await ended.WaitAsync(Deadline);
        try
        {
            await wait.WaitAsync(Deadline);
            return true;
        }
        catch (OperationCanceledException exception)
        {
            Assert.Equal(cancel.Token, exception.CancellationToken);
            return false;
        }
    }

    [Theory]
    [InlineData("queue")]
    [InlineData("topic")]
    [InlineData("latest")]
    public async Task A_cancelled_receive_loses_no_message(string kind)
    {
        string name = NewName();
        using MessageChannel receiver = kind switch
        {
            "queue" => SharedQueue.CreateNew(name, 8, 8, ChannelOverflow.Block),
            "topic" => SharedTopic.CreateNew(name, 8, 8, ChannelOverflow.Block),
            _ => SharedLatest.CreateNew(name, 8),
        };
        using MessageChannel sender = kind switch
        {
            "queue" => SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send }),
            "topic" => SharedTopic.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send }),
            _ => SharedLatest.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send }),
        };
        for (int i = 0; i < Tries; i++)
        {
            int number = -1;
            bool isThere = await Race(i, async token => number = await receiver.ReceiveAsync<int>(token), () => sender.Send(i));
            Assert.Equal(isThere ? i : -1, number);
            if (!isThere)
                Assert.Equal(i, await receiver.ReceiveAsync<int>().AsTask().WaitAsync(Deadline));
        }
        Assert.False(kind != "latest" && receiver.TryReceive(out int _));
    }

    [Fact]
    public async Task A_cancelled_loop_loses_no_message()
    {
        string name = NewName();
        using SharedQueue receiver = SharedQueue.CreateNew(name, 8, 8, ChannelOverflow.Block);
        using SharedQueue sender = SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send });
        int next = 0;

        async Task Loop(CancellationToken token)
        {
            await foreach (int number in receiver.ReadAllAsync<int>(token))
                Assert.Equal(next++, number);
        }

        for (int i = 0; i < Tries; i++)
            Assert.False(await Race(i, Loop, () => sender.Send(i)));
        for (; next < Tries; next++)
            Assert.Equal(next, await receiver.ReceiveAsync<int>().AsTask().WaitAsync(Deadline));
        Assert.False(receiver.TryReceive(out int _));
    }

    [Fact]
    public async Task A_cancelled_loop_loses_no_request()
    {
        string name = NewName();
        using SharedService server = SharedService.CreateNew(name, 8, 8, 8, new ServiceOptions { Roles = ChannelRoles.Receive });
        using SharedService client = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Send });

        async Task Serve(CancellationToken token)
        {
            await foreach (ServiceRequest request in server.ReadAllAsync(token))
            {
                using (request)
                    request.Answer(request.Bytes);
            }
        }

        for (int i = 0; i < Tries; i++)
        {
            ulong call = 0;
            Assert.False(await Race(i, Serve, () => call = client.Send(BitConverter.GetBytes(i))));
            if (server.TryTake(out ServiceRequest? left))
            {
                using (left)
                    left.Answer(left.Bytes);
            }
            Assert.True(client.TryReceiveAnswer(call, out byte[]? answer, out MessageInfo info, Deadline));
            Assert.Equal((i, 1), (BitConverter.ToInt32(answer), info.Deliveries));
        }
    }

    // A call that is given up at that moment is not open any more; so its place is free for the next one.
    [Fact]
    public async Task A_cancelled_call_leaves_nothing_behind()
    {
        string name = NewName();
        using SharedService client = SharedService.CreateNew(name, 8, 8, 8, new ServiceOptions { Roles = ChannelRoles.Send, MaxCalls = 1 });
        using SharedService server = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Receive });

        void Serve()
        {
            if (!server.TryTake(out ServiceRequest? request))
                return;
            using (request)
                request.Answer(request.Bytes);
        }

        for (int i = 0; i < Tries; i++)
        {
            byte[] sent = BitConverter.GetBytes(i), answer = sent;
            await Race(i, async token => answer = await client.CallAsync(sent, token), Serve);
            Assert.Equal(sent, answer);
            Check.Throws<InvalidOperationException>(() => client.TryReceiveAnswer(0, out _, out _)); // none is open
            Serve();
        }
        Assert.Equal(0, client.GetStatistics().Depth);
    }

    // What a wait takes that is then cancelled, or ends at its time, is not gone.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_wait_loses_no_signal(bool isEvent)
    {
        using var semaphore = new Semaphore(0, 2, NewName());
        using var signal = new EventWaitHandle(false, EventResetMode.AutoReset, NewName());
        using var never = new ManualResetEvent(false);
        WaitHandle one = isEvent ? signal : semaphore;

        void End()
        {
            if (isEvent)
                signal.Set();
            else
                semaphore.Release();
        }

        for (int i = 0; i < Tries; i++)
        {
            bool isTaken = await Race(i, token => i % 2 == 0 ? one.WaitOneAsync(token) : WaitHandle.WaitAnyAsync([never, one], token), End);
            Assert.Equal(!isTaken, one.WaitOne(0));
            Assert.False(one.WaitOne(0));
        }
        for (int i = 0; i < Tries / 10; i++)
        {
            Task<bool> timed = one.WaitOneAsync(aMoment); // whose end is the other race
            Thread.SpinWait(i * 1000);
            End();
            bool isTaken = await timed.WaitAsync(Deadline);
            Assert.Equal(!isTaken, one.WaitOne(0));
            Assert.False(one.WaitOne(0));
        }
    }

    // The same with .NET's own handles, which need a thread.
    [Fact]
    public async Task A_cancelled_wait_with_a_thread_loses_no_signal()
    {
        using var semaphore = new Semaphore(0, 2, NewName());
        using var never = new SystemThreading.ManualResetEvent(false);

        for (int i = 0; i < Tries / 10; i++)
        {
            bool isTaken = await Race(i, token => WaitHandle.WaitAnyAsync([never, semaphore], token), () => semaphore.Release());
            Assert.Equal(!isTaken, semaphore.WaitOne(0));
            Assert.False(semaphore.WaitOne(0));
        }
    }

    // A channel among events.
    [Fact]
    public async Task A_message_or_the_stop_event_without_a_thread()
    {
        string name = NewName();
        SharedQueue queue = SharedQueue.CreateNew(name, 8, 8, ChannelOverflow.Block);
        using SharedQueue producer = SharedQueue.OpenExisting(name);
        using var stop = new ManualResetEvent(false);
        WaitHandle[] both = [stop, queue.WaitHandle];
        Assert.Equal(WaitHandle.WaitTimeout, await WaitHandle.WaitAnyAsync(both, aMoment));
        Task<int> wait = WaitHandle.WaitAnyAsync(both);
        Assert.False(wait.IsCompleted);
        Check.Throws<InvalidOperationException>(() => queue.TryReceive(out int _)); // the wait has the handle
        producer.Send(1);
        Assert.Equal(1, await wait.WaitAsync(Deadline));
        Assert.Equal(1, queue.Receive<int>());
        wait = WaitHandle.WaitAnyAsync(both);
        stop.Set();
        Assert.Equal(0, await wait.WaitAsync(Deadline));
        stop.Reset();
        using var cancel = new CancellationTokenSource();
        wait = WaitHandle.WaitAnyAsync(both, cancel.Token);
        queue.Dispose(); // it stays open until the wait is over
        producer.Send(2);
        Assert.Equal(1, await wait.WaitAsync(Deadline));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => WaitHandle.WaitAnyAsync(both));
        producer.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    [Fact]
    public async Task Dispose_ends_the_wait()
    {
        string name = NewName();
        var queue = SharedQueue.CreateNew(name, 8, 8, ChannelOverflow.Block);
        Task wait = queue.WaitToReceiveAsync();
        Task loop = Task.Run(async () =>
        {
            using SharedTopic topic = SharedTopic.CreateNew(name + "-t", 8, 8, ChannelOverflow.Block);
            ThreadPool.QueueUserWorkItem(_ => topic.Dispose());
            await foreach (byte[] _ in topic.ReadAllAsync())
            {
            }
        });
        queue.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.WaitAsync(Deadline));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => loop.WaitAsync(Deadline));
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    // At any moment, also before the wait has begun to be polled.
    [Fact]
    public async Task Dispose_while_a_wait_begins()
    {
        for (int i = 0; i < 300; i++)
        {
            SharedQueue queue = SharedQueue.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
            using var both = new Barrier(2);
            Task dispose = Task.Run(() =>
            {
                both.SignalAndWait();
                queue.Dispose();
            });
            both.SignalAndWait();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => queue.WaitToReceiveAsync().WaitAsync(Deadline));
            await dispose;
        }
    }

    [Fact]
    public async Task A_wait_has_the_handle_for_itself()
    {
        using SharedQueue queue = SharedQueue.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
        using var cancel = new CancellationTokenSource();
        Task wait = queue.WaitToReceiveAsync(cancel.Token);
        Assert.Contains("a wait that is not over", Check.Throws<InvalidOperationException>(() => queue.Send(1)).Message,
                        StringComparison.Ordinal);
        Check.Throws<InvalidOperationException>(() => queue.WaitToReceiveAsync());
        cancel.Cancel();
        await Cancelled<OperationCanceledException>(() => wait);
        queue.Send(1);
        await queue.WaitToReceiveAsync();
        using SharedQueue sender = SharedQueue.CreateNew(NewName(), 8, 8, ChannelOverflow.Block,
                                                         new ChannelOptions { Roles = ChannelRoles.Send });
        NotSupportedException refused = await Assert.ThrowsAsync<NotSupportedException>(() => sender.WaitToReceiveAsync());
        Assert.Equal("MMF_E_NOT_SUPPORTED", refused.Data["mmf.status"]);
        sender.Send(1); // it is free again
    }

    [Fact]
    public async Task Service()
    {
        string name = NewName();
        using SharedService client = SharedService.CreateNew(name, 8, 8, 8, new ServiceOptions
        {
            Roles = ChannelRoles.Send,
        });
        Task serving = Task.Run(async () =>
        {
            using SharedService server = SharedService.OpenExisting(
                name, new ServiceOptions { Roles = ChannelRoles.Receive, EndWithLastPeer = true });
            await foreach (ServiceRequest request in server.ReadAllAsync())
            {
                using (request)
                    request.Answer(request.As<int>() + 1);
            }
        });
        for (int i = 0; i < 100; i++)
            Assert.Equal(i + 1, BitConverter.ToInt32(await client.CallAsync(BitConverter.GetBytes(i)).WaitAsync(Deadline)));
        client.Dispose();
        await serving.WaitAsync(Deadline); // the last client is gone
    }

    [Fact]
    public async Task A_call_that_is_cancelled()
    {
        string name = NewName();
        using SharedService client = SharedService.CreateNew(name, 8, 8, 8);
        using SharedService server = SharedService.OpenExisting(name);
        using var cancel = new CancellationTokenSource();
        Task<byte[]> call = client.CallAsync(new byte[] { 1 }, cancel.Token);
        using (ServiceRequest request = server.Take())
        {
            cancel.Cancel();
            await Cancelled<OperationCanceledException>(() => call);
            Assert.False(request.IsWanted);
        }
        Assert.True((await Cancelled<OperationCanceledException>(() => client.CallAsync(default, cancel.Token))).CancellationToken
            .IsCancellationRequested);
        call = client.CallAsync(new byte[] { 2 });
        using (ServiceRequest request = server.Take())
        {
            Assert.Equal([2], request.Bytes.ToArray());
            request.Answer([3]);
        }
        Assert.Equal([3], await call.WaitAsync(Deadline));
    }
}

public class ChannelProcessTests
{
    [Fact]
    public async Task A_consumer_that_is_killed()
    {
        string name = NewName();
        using SharedQueue queue = SharedQueue.CreateNew(name, 64, 8, ChannelOverflow.Block);
        using var victim = new Peer("C#");
        Assert.Equal("opened", victim.Do($"queue {name}"));
        queue.Send("precious"u8);
        Assert.Equal("ok precious", victim.Do("take queue 20000"));
        Assert.Equal(QueueItemState.InFlight, SharedQueue.Browse(name)[0].State);
        Assert.NotEqual(Environment.ProcessId, SharedQueue.Browse(name)[0].ProcessId);
        Task<byte[]> wait = queue.ReceiveAsync().AsTask();
        Assert.False(wait.IsCompleted);
        victim.Kill();
        Assert.Equal("precious", Text(await wait.WaitAsync(Deadline)));
        Assert.Equal(1, queue.GetStatistics().Receivers);
    }

    [Fact]
    public async Task Producers_that_are_killed()
    {
        string name = NewName();
        using (SharedTopic topic = SharedTopic.CreateNew(name, 64, 8, ChannelOverflow.DropOldest,
                                                         new ChannelOptions { Roles = ChannelRoles.Receive, EndWithLastPeer = true }))
        {
            using var victim = new Peer("C#");
            Assert.Equal("opened", victim.Do($"topic {name}"));
            Assert.Equal("ok", victim.Do("send topic last-words"));
            Assert.Equal("last-words", Text(await topic.ReceiveAsync().AsTask().WaitAsync(Deadline)));
            Task<byte[]> wait = topic.ReceiveAsync().AsTask();
            victim.Kill();
            EndOfStreamException end = await Assert.ThrowsAsync<EndOfStreamException>(() => wait.WaitAsync(Deadline));
            Assert.Equal("MMF_E_PEER_CLOSED", end.Data["mmf.status"]);
        }
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    [Fact]
    public async Task A_server_that_is_killed()
    {
        string name = NewName();
        using SharedService client = SharedService.CreateNew(name, 64, 64, 8);
        using SharedService survivor = SharedService.OpenExisting(name);
        using var victim = new Peer("C#");
        Assert.Equal("opened", victim.Do($"service {name}"));
        Task<byte[]> call = client.CallAsync("question"u8.ToArray());
        Assert.Equal("ok question", victim.Do("hold 20000"));
        Task wait = survivor.WaitToReceiveAsync();
        victim.Kill();
        await wait.WaitAsync(Deadline);
        using (ServiceRequest request = survivor.Take())
        {
            Assert.Equal(2, request.Deliveries);
            request.Answer("survived"u8);
        }
        Assert.Equal("survived", Text(await call.WaitAsync(Deadline)));
    }

    // With its last process a name goes.
    [Fact]
    public void The_name_goes_with_a_kill()
    {
        string name = NewName();
        using var victim = new Peer("C#");
        foreach (string kind in new[] { "queue", "topic", "latest", "service" })
            Assert.Equal("created", victim.Do($"{kind} {kind}-{name}"));
        using (SharedQueue queue = SharedQueue.OpenExisting("queue-" + name))
            victim.Kill();
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedQueue.OpenExisting("queue-" + name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedTopic.OpenExisting("topic-" + name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedLatest.OpenExisting("latest-" + name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedService.OpenExisting("service-" + name));
    }
}
