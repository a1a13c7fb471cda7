// One of each kind of channel, and what is asynchronous. On Windows they need libmmf.dll.
using System;
using System.Threading;
using System.Threading.Tasks;
using Mmf.Channels;
using Mmf.Diagnostics;

internal static class Channels
{
    private static readonly TimeSpan deadline = TimeSpan.FromSeconds(60);

    internal static async Task Use()
    {
        using var queue = SharedQueue.CreateNew("Cat queue", 64, 8, ChannelOverflow.Block);
        using var producer = SharedQueue.OpenExisting("Cat queue");
        using var topic = SharedTopic.CreateNew("Cat topic", 64, 8, ChannelOverflow.DropOldest);
        using var latest = SharedLatest.CreateNew("Cat latest", 64);
        using var service = SharedService.CreateNew("Cat service", 64, 64, 8);

        foreach (MessageChannel channel in new MessageChannel[] { queue, topic, latest })
        {
            using var stop = new CancellationTokenSource();
            channel.Send(42);
            Check(channel.Receive<int>() == 42);
            WithoutCopy(channel);
            Task<byte[]> wait = channel.ReceiveAsync(stop.Token).AsTask();
            Check(!wait.IsCompleted);
            stop.Cancel();
            await Ends<OperationCanceledException>(() => wait);
        }
        Task<int> received = queue.ReceiveAsync<int>().AsTask();
        producer.Send(7);
        Check(await received.WaitAsync(deadline) == 7);
        received = queue.ReceiveAsync<int>().AsTask();
        queue.Dispose();
        await Ends<ObjectDisposedException>(() => received);
        ulong call = service.Send("question"u8);
        using (ServiceRequest request = service.Take())
            request.Answer(request.Bytes);
        Check(service.TryReceiveAnswer(call, out byte[]? answer, out MessageInfo info) && answer.Length == 8 && info.IsLast);
        Task<byte[]> called = service.CallAsync("another"u8.ToArray());
        using (var server = SharedService.OpenExisting("Cat service"))
        using (ServiceRequest request = server.Take())
            request.Answer(request.Bytes);
        Check((await called.WaitAsync(deadline)).Length == 7);
        Check(OperatingSystem.IsWindows() ||
              Array.Exists(NamedObject.GetAll(), one => one is { Name: "Cat service", Channel.Sent: 2 }));
        await Synchronisation();
    }

    private static void WithoutCopy(MessageChannel channel)
    {
        using (Reservation slot = channel.Reserve(4))
        {
            slot.As<int>() = 43;
            slot.Commit();
        }
        using Message message = channel.Take();
        Check(message.As<int>() == 43);
    }

    private static async Task Synchronisation()
    {
        using var semaphore = new Semaphore(0, 1, "Cat other count");
        using var signal = new ManualResetEvent(false);
        Task<int> any = WaitHandle.WaitAnyAsync([signal, semaphore]);

        Check(!any.IsCompleted);
        semaphore.Release();
        Check(await any.WaitAsync(deadline) == 1);
        Check(!await semaphore.WaitOneAsync(TimeSpan.FromMilliseconds(1)));
        using var mutex = new Mutex();
        await Ends<NotSupportedException>(() => mutex.WaitOneAsync());
    }

    private static async Task Ends<T>(Func<Task> begin) where T : Exception
    {
        try
        {
            await begin().WaitAsync(deadline);
            Check(false);
        }
        catch (T)
        {
        }
    }

    private static void Check(bool holds, [System.Runtime.CompilerServices.CallerLineNumber] int line = 0)
    {
        if (!holds)
            throw new InvalidOperationException($"Channels.cs, line {line} does not hold");
    }
}
