// Queues, topics and latest values within one process: what each call does, and what it refuses.
using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Mmf.Channels;
using Xunit;

namespace Mmf.Tests;

public class ChannelTests
{
    internal record struct Job(int Number, double Weight, byte Kind);

    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static SharedQueue NewQueue(string name, int size = 64, int capacity = 8,
                                        ChannelOverflow overflow = ChannelOverflow.Block,
                                        ChannelOptions? options = null) =>
        SharedQueue.CreateOrOpen(name, size, capacity, overflow, options);

    // FilesNamed finds it as it is.
    internal static string NewName() => Guid.NewGuid().ToString("N");

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    /// <summary>This exception, with this status of libmmf's, and a message that says so much.</summary>
    internal static T Fails<T>(string status, string part, Action action) where T : Exception
    {
        T exception = Check.Throws<T>(action);

        Assert.Equal(status, exception.Data["mmf.status"]);
        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        return exception;
    }

    // As the library's headers have them on every system with 64 bits.
    [Fact]
    public unsafe void Structs_have_the_librarys_sizes()
    {
        Assert.Equal(56, sizeof(Native.Message));
        Assert.Equal(44, sizeof(Native.ChannelOptions));
        Assert.Equal(48, sizeof(Native.ServiceOptions));
        Assert.Equal(176, sizeof(Native.ChannelStatistics));
        Assert.Equal(56, sizeof(Native.QueueItem));
    }

    //
    // Sending and receiving.
    //

    [Fact]
    public void Queue_carries_bytes()
    {
        string name = NewName();
        using SharedQueue producer = NewQueue(name);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        Assert.Equal(64, consumer.MessageSize);
        ulong first = producer.Send("one"u8);
        Assert.True(producer.Send("two"u8) > first);
        Assert.True(producer.TrySend(ReadOnlySpan<byte>.Empty));
        Assert.True(producer.TrySend(new byte[64]));
        Assert.Equal("one", Text(consumer.Receive()));
        var buffer = new byte[3];
        Assert.Equal(3, consumer.Receive(buffer));
        Assert.Equal("two", Text(buffer));
        Assert.True(consumer.TryReceive(out byte[]? empty));
        Assert.Empty(empty);
        Assert.True(consumer.TryReceive(new byte[64], out MessageInfo full));
        Assert.Equal(64, full.Length);
        Assert.False(consumer.TryReceive(out byte[]? none));
        Assert.Null(none);
        Assert.False(consumer.TryReceive(buffer, out _, TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public void Queue_carries_structs()
    {
        string name = NewName();
        using SharedQueue producer = NewQueue(name);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        var job = new Job(42, 0.5, 7);
        producer.Send(job);
        Assert.True(producer.TrySend(job with { Number = 43 }));
        Assert.Equal(job, consumer.Receive<Job>());
        Assert.True(consumer.TryReceive(out Job second));
        Assert.Equal(43, second.Number);
        Assert.False(consumer.TryReceive(out second));
        Assert.Equal(default, second);
        Assert.Equal(8, producer.SendMany<long>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], TimeSpan.Zero)); // 8 slots
        for (long i = 0; i < 8; i++)
            Assert.Equal(i, consumer.Receive<long>());
        Assert.Equal(0, producer.SendMany<long>([], TimeSpan.Zero));
    }

    // What C says of a message, a copy of it has, too.
    [Fact]
    public void What_is_known_of_a_copy()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name);
        using SharedQueue other = SharedQueue.OpenExisting(name);
        Assert.True(queue.TrySend("one"u8, out ulong first));
        Assert.True(queue.TrySend(2, out ulong second));
        Assert.True(second > first);
        queue.Take().Return();
        Assert.True(other.TryReceive(out byte[]? bytes, out MessageInfo info, Deadline));
        Assert.Equal(("one", 3, first, 2, true), (Text(bytes), info.Length, info.Sequence, info.Deliveries, info.IsRedelivered));
        Assert.True(other.TryReceive(out int value, out info));
        Assert.Equal((2, 4, second, 1, false), (value, info.Length, info.Sequence, info.Deliveries, info.IsRedelivered));
        Assert.False(other.TryReceive(new byte[8], out info));
        Assert.Equal(default, info);
        Assert.False(other.TryReceive(out value, out info));
        Assert.Equal(default, info);
        using SharedTopic topic = SharedTopic.CreateNew(NewName(), 8, 2, ChannelOverflow.DropOldest);
        ulong last = 0;
        for (int i = 0; i < 10; i++)
            last = topic.Send(i);
        Assert.True(topic.TryReceive(out value, out info));
        Assert.InRange(info.Lost, 8UL, 9UL); // 2 slots, one of them perhaps for the next
        Assert.Equal((int)info.Lost, value);
        Assert.Equal(last - (9 - info.Lost), info.Sequence);
    }

    [Fact]
    public void A_latest_value_says_its_version()
    {
        string name = NewName();
        using SharedLatest writer = SharedLatest.CreateNew(name, 8);
        using SharedLatest reader = SharedLatest.OpenExisting(name);
        Assert.False(reader.TryReceive(out byte[]? none, out MessageInfo info));
        Assert.Equal((null, default), (none, info));
        Assert.True(writer.TrySend(1, out ulong first));
        Assert.True(writer.TrySend(new byte[] { 2 }, out ulong second));
        Assert.True(second > first);
        Assert.True(reader.TryReceive(out byte[]? bytes, out info));
        Assert.Equal((1, second, 1), (info.Length, info.Sequence, info.Deliveries));
        Assert.Equal([2], bytes);
        Assert.False(reader.WaitForNewer(info.Sequence, TimeSpan.Zero));
        ulong third = writer.Send(3);
        Assert.True(reader.WaitForNewer(info.Sequence, TimeSpan.Zero));
        Assert.True(reader.TryReceive(new byte[8], out info));
        Assert.Equal((4, third), (info.Length, info.Sequence));
        Assert.True(reader.TryReceive(out int value, out info)); // again
        Assert.Equal((3, third), (value, info.Sequence));
    }

    [Fact]
    public void Messages_without_a_copy()
    {
        string name = NewName();
        using SharedQueue producer = NewQueue(name);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        using (Reservation slot = producer.Reserve(10))
        {
            Assert.Equal(10, slot.Bytes.Length);
            "in place"u8.CopyTo(slot.Bytes);
            slot.Commit(8);
        }
        using (Reservation abandoned = producer.Reserve(64))
            abandoned.Bytes.Fill(1);
        Assert.True(producer.TryReserve(System.Runtime.CompilerServices.Unsafe.SizeOf<Job>(), out Reservation typed));
        using (typed)
        {
            typed.As<Job>() = new Job(1, 2, 3);
            typed.Commit();
        }
        using (Message message = consumer.Take())
        {
            Assert.Equal("in place", Text(message.Bytes));
            Assert.Equal(1, message.Deliveries);
            Assert.False(message.IsRedelivered);
            Assert.Equal(0UL, message.Lost);
        }
        Assert.True(consumer.TryTake(out Message job));
        using (job)
            Assert.Equal(new Job(1, 2, 3), job.As<Job>());
        Assert.False(consumer.TryTake(out Message none));
        none.Dispose();
        Assert.Equal(0, none.Bytes.Length);
        ChannelStatistics counted = consumer.GetStatistics();
        Assert.Equal((2UL, 2UL, 0L), (counted.Sent, counted.Received, counted.Depth));
        Assert.Equal((64L, 8L, ChannelOverflow.Block), (counted.MessageSize, counted.Capacity, counted.Overflow));
        Assert.Equal((2, 2, 64, 64), (counted.Senders, counted.Receivers, counted.MaxSenders, counted.MaxReceivers));
        Assert.NotEqual(Guid.Empty, counted.Identity);
        Assert.Equal(counted.Identity, producer.GetStatistics().Identity);
    }

    [Fact]
    public void Several_in_flight_are_released_once_each()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name);
        queue.Send("a"u8);
        queue.Send("b"u8);
        Message a = queue.Take(), b = queue.Take();
        Assert.True(b.Release());
        b.Dispose();
        InvalidOperationException again;
        try
        {
            b.Release();
            again = null!;
        }
        catch (InvalidOperationException exception)
        {
            again = exception;
        }
        Assert.Contains("does not have the message", again.Message, StringComparison.Ordinal);
        Assert.Equal("a", Text(a.Bytes));
        a.Dispose();
        a.Dispose();
        Assert.Equal(2UL, queue.GetStatistics().Received);
    }

    // The name is there as long as the last message, of whatever kind, and no longer; nothing waits for the garbage
    // collector.
    [Fact]
    public void A_name_goes_with_the_last_message()
    {
        string name = NewName();
        SharedQueue queue = NewQueue(name);
        queue.Send(1);
        queue.Send(2);
        Message one = queue.Take(), two = queue.Take();
        queue.Dispose();
        queue.Dispose();
        Assert.NotEqual(0, Namespace.FilesNamed(name));
        one.Dispose();
        one.Dispose(); // not the second one's
        Assert.Equal(2, two.As<int>());
        Assert.NotEqual(0, Namespace.FilesNamed(name));
        two.Return();
        Assert.Equal(0, Namespace.FilesNamed(name));
        two.Dispose();
        SharedTopic topic = SharedTopic.CreateNew(name, 8, 8, ChannelOverflow.Block);
        topic.Send(3);
        Message news = topic.Take();
        Reservation slot = topic.Reserve(4);
        topic.Dispose();
        Assert.Equal(3, news.As<int>());
        Assert.True(news.Release());
        slot.As<int>() = 4;
        Assert.NotEqual(0, Namespace.FilesNamed(name));
        slot.Dispose(); // abandons it
        Assert.Equal(0, Namespace.FilesNamed(name));
        SharedLatest latest = SharedLatest.CreateNew(name, 8);
        latest.Send(5);
        Message pinned = latest.Take();
        latest.Dispose();
        Assert.Equal(5, pinned.As<int>());
        pinned.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    [Fact]
    public void Many_at_once()
    {
        string name = NewName();
        using SharedQueue producer = NewQueue(name);
        using SharedQueue consumer = SharedQueue.OpenExisting(name);
        byte[][] sent = ["one"u8.ToArray(), [], new byte[64], "four"u8.ToArray()];
        ReadOnlyMemory<byte>[] memories = Array.ConvertAll(sent, bytes => (ReadOnlyMemory<byte>)bytes);
        Assert.Equal(4, producer.SendMany(memories, TimeSpan.Zero));
        Assert.Equal(0, producer.SendMany([], TimeSpan.Zero));
        Assert.Equal(4, producer.SendMany([.. memories, .. memories], TimeSpan.Zero)); // 8 slots
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "65", () => producer.SendMany([memories[0], new byte[65]], TimeSpan.Zero));
        Check.Throws<ArgumentNullException>("messages", () => producer.SendMany(null!, TimeSpan.Zero));
        using (MessageBatch batch = consumer.TakeMany(5))
        {
            Assert.Equal(5, batch.Count);
            int i = 0;
            foreach (Message message in batch)
                Assert.Equal(sent[i++ % 4], message.Bytes.ToArray());
            batch[1].Return(); // by itself
            Assert.True(batch[2].Release());
            bool isRefused = false;
            try
            {
                batch.Release();
            }
            catch (InvalidOperationException exception)
            {
                isRefused = exception.Message.Contains("does not have the message", StringComparison.Ordinal);
            }
            Assert.True(isRefused);
            Assert.Equal(3, consumer.GetStatistics().InFlight); // none was released
        }
        Assert.Equal((4UL, 0L), (consumer.GetStatistics().Received, consumer.GetStatistics().InFlight));
        Assert.True(consumer.TryTakeMany(100, out MessageBatch rest, Deadline));
        int left = rest.Count;
        rest.Release();
        rest.Dispose();
        while (consumer.TryTake(out Message again)) // the one that was returned, if it was not among them
        {
            left++;
            again.Dispose();
        }
        Assert.Equal((4, 8UL), (left, consumer.GetStatistics().Received));
        Assert.False(consumer.TryTakeMany(1, out MessageBatch none));
        none.Dispose();
        none.Release();
        Assert.Equal(0, none.Count);
        foreach (Message _ in none)
            Assert.Fail("It is empty.");
        Check.Throws<IndexOutOfRangeException>(() => _ = default(MessageBatch)[0]);
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "", () => consumer.TakeMany(0));
        Check.Throws<ArgumentOutOfRangeException>("most", () => consumer.TakeMany(-1));
        using SharedTopic topic = SharedTopic.CreateNew(NewName(), 64, 8, ChannelOverflow.Fail);
        Assert.Equal(2, topic.SendMany(memories[..2], TimeSpan.Zero));
        Assert.Equal(("one", 0), (Text(topic.Receive()), topic.Receive().Length));
    }

    [Fact]
    public void A_batch_outlives_dispose()
    {
        string name = NewName();
        SharedQueue queue = NewQueue(name);
        queue.SendMany<int>([1, 2, 3], TimeSpan.Zero);
        MessageBatch batch = queue.TakeMany(8);
        queue.Dispose();
        Assert.Equal(3, batch[2].As<int>());
        batch[0].Dispose();
        Assert.NotEqual(0, Namespace.FilesNamed(name));
        batch.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
        batch.Dispose();
    }

    // A message and a reservation keep the memory: no access to what is unmapped.
    [Fact]
    public void What_was_taken_outlives_dispose()
    {
        string name = NewName();
        SharedQueue queue = NewQueue(name);
        SharedQueue other = NewQueue(name);
        queue.Send("stays"u8);
        Message message = queue.Take();
        Reservation slot = queue.Reserve(4);
        queue.Dispose();
        Check.Throws<ObjectDisposedException>(() => queue.TrySend("x"u8));
        Assert.Equal("stays", Text(message.Bytes));
        "done"u8.CopyTo(slot.Bytes);
        slot.Commit();
        Assert.Equal(2, other.GetStatistics().Senders);
        message.Dispose();
        Assert.Equal(1, other.GetStatistics().Senders); // closed now
        bool isRefused = false;
        try
        {
            _ = message.Bytes;
        }
        catch (ObjectDisposedException)
        {
            isRefused = true;
        }
        Assert.True(isRefused);
        Assert.Equal("done", Text(other.Receive()));
        other.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
    }

    [Fact]
    public void Returned_messages_go_to_another_consumer()
    {
        string name = NewName();
        using SharedQueue one = NewQueue(name);
        using SharedQueue other = NewQueue(name);
        one.Send("poison"u8);
        using (Message message = one.Take())
            message.Return();
        using (Message message = other.Take())
        {
            Assert.Equal("poison", Text(message.Bytes));
            Assert.True(message.IsRedelivered);
            Assert.Equal(2, message.Deliveries);
            Assert.Equal(1, one.GetStatistics().InFlight);
        }
        Assert.Equal(0, one.GetStatistics().InFlight);
        Assert.Equal(1UL, one.GetStatistics().Redelivered);
    }

    [Fact]
    public void Drain_and_browse()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name);
        queue.Send("first"u8);
        queue.Send("second one"u8);
        Message message = queue.Take();
        QueueItem[] items = SharedQueue.Browse(name);
        Assert.Equal([QueueItemState.InFlight, QueueItemState.Waiting], items.Select(item => item.State));
        Assert.Equal([5L, 10], items.Select(item => item.Length));
        Assert.Equal(Environment.ProcessId, items[0].ProcessId);
        Assert.Equal(0, items[1].ProcessId);
        Assert.Equal(1, items[0].Deliveries);
        Assert.NotNull(items[0].Age);
        Assert.Null(items[1].Age);
        Assert.Equal(message.Sequence, items[0].Sequence);
        Assert.Single(SharedQueue.Browse(name, 1));
        Assert.All(items, item => Assert.Null(item.Bytes));
        QueueItem[] shown = SharedQueue.Browse(name, 10, 6);
        Assert.Equal(["first", "second"], shown.Select(item => Text(item.Bytes)));
        Assert.Equal([5L, 10], shown.Select(item => item.Length));
        QueueItem[] all = SharedQueue.Browse(name, int.MaxValue, int.MaxValue);
        Assert.Equal(["first", "second one"], all.Select(item => Text(item.Bytes)));
        Assert.Empty(SharedQueue.Browse(name, 0, 1));
        Check.Throws<ArgumentOutOfRangeException>("each", () => SharedQueue.Browse(name, 1, -1));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", "none", () => SharedQueue.Browse(name + "none", 1, 1));
        Assert.False(queue.TryDrain(TimeSpan.FromMilliseconds(1)));
        message.Dispose();
        queue.Receive();
        queue.Drain();
        Assert.Empty(SharedQueue.Browse(name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", "none", () => SharedQueue.Browse(name + "none"));
    }

    [Fact]
    public void Topic_goes_to_every_subscriber()
    {
        string name = NewName();
        using SharedTopic publisher = SharedTopic.CreateNew(name, 64, 4, ChannelOverflow.DropOldest);
        using SharedTopic one = SharedTopic.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Receive });
        Assert.True(SharedTopic.TryOpenExisting(name, out SharedTopic? other));
        using (other)
        {
            publisher.Send("news"u8);
            Assert.Equal("news", Text(one.Receive()));
            Assert.Equal("news", Text(other.Receive()));
            for (int i = 0; i < 10; i++)
                publisher.Send(i);
            using (Message message = one.Take())
            {
                Assert.InRange(message.Lost, 6UL, 7UL); // 4 slots, one of them perhaps for the next
                Assert.Equal((int)message.Lost, message.As<int>());
                for (int i = 0; i < 10; i++)
                    publisher.Send(i);
                Assert.False(message.Release()); // no pins: it was overwritten
            }
        }
        using SharedTopic late = SharedTopic.OpenExisting(name, new ChannelOptions { Replay = 2 });
        Assert.Equal((8, 9), (late.Receive<int>(), late.Receive<int>()));
    }

    [Fact]
    public void Pins_keep_what_was_taken()
    {
        string name = NewName();
        using SharedTopic topic = SharedTopic.CreateNew(name, 64, 8, ChannelOverflow.DropOldest,
                                                        new ChannelOptions { MaxPins = 1 });
        using SharedTopic second = SharedTopic.OpenExisting(name);
        topic.Send(0);
        using (Message message = topic.Take())
        {
            for (int i = 1; i < 100; i++)
                topic.Send(i);
            Assert.Equal(0, message.As<int>());
            Assert.Equal(1, topic.GetStatistics().Pins);
            Fails<IOException>("MMF_E_TOO_MANY", "pins", () => second.TryTake(out _));
            Fails<InvalidOperationException>("MMF_E_STATE", "", () => topic.TryTake(out _));
            Assert.True(message.Release());
        }
        Assert.Equal((0, 1), (topic.GetStatistics().Pins, topic.GetStatistics().MaxPins));
    }

    [Fact]
    public void Latest_value_is_replaced()
    {
        string name = NewName();
        using SharedLatest writer = SharedLatest.CreateOrOpen(name, 64, null, out bool createdNew);
        using SharedLatest reader = SharedLatest.OpenExisting(name);
        Assert.True(createdNew);
        Assert.False(reader.TryReceive(out byte[]? _));
        Assert.False(reader.TryTake(out _, TimeSpan.FromMilliseconds(1)));
        Assert.False(reader.WaitForNewer(0, TimeSpan.Zero));
        ulong version = writer.Send(1);
        Assert.True(reader.WaitForNewer(0, Deadline));
        Assert.Equal((1, 1), (reader.Receive<int>(), reader.Receive<int>()));
        Assert.False(reader.WaitForNewer(version, TimeSpan.Zero));
        using (Message pinned = reader.Take())
        {
            Assert.Equal(version, pinned.Sequence);
            for (int i = 2; i < 100; i++)
                writer.Send(i);
            Assert.Equal(1, pinned.As<int>());
        }
        Assert.Equal(99, reader.Receive<int>());
        using (Reservation slot = writer.Reserve(4))
        {
            slot.As<int>() = 100;
            Assert.True(slot.Commit() > version);
        }
        Assert.Equal(100, reader.Receive<int>());
    }

    // One message at a time: disposing an old one does not release the new one.
    [Fact]
    public void An_old_message_does_not_release_a_new_one()
    {
        using SharedLatest latest = SharedLatest.CreateNew(NewName(), 8);
        latest.Send(1);
        Message old = latest.Take();
        old.Release();
        latest.Send(2);
        using Message current = latest.Take();
        old.Dispose();
        Assert.Equal(1, latest.GetStatistics().Pins);
        Assert.Equal(2, current.As<int>());
    }

    //
    // What is refused.
    //

    [Fact]
    public void Names()
    {
        string name = NewName();
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedQueue.OpenExisting(name));
        Assert.False(SharedQueue.TryOpenExisting(name, out SharedQueue? none));
        Assert.Null(none);
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedQueue.OpenExisting(
            name, new ChannelOptions { WaitForName = TimeSpan.FromMilliseconds(1) }));
        using (NewQueue(name))
        {
            IOException exists = Fails<IOException>(
                "MMF_E_EXISTS", name, () => SharedQueue.CreateNew(name, 64, 8, ChannelOverflow.Block));
            Assert.Equal(unchecked((int)0x80070000) | 183, exists.HResult);
            Fails<IOException>("MMF_E_MISMATCH", "64", () => NewQueue(name, 65));
            Fails<IOException>("MMF_E_WRONG_KIND", name, () => SharedTopic.OpenExisting(name));
            Fails<IOException>("MMF_E_WRONG_KIND", name, () => MemoryMappedFile.OpenExisting(name));
            Check.Throws<WaitHandleCannotBeOpenedException>(() => Semaphore.OpenExisting(name));
            Assert.NotEqual(0, Namespace.FilesNamed(name));
        }
        Assert.Equal(0, Namespace.FilesNamed(name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedQueue.OpenExisting(name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedTopic.OpenExisting(name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedLatest.OpenExisting(name));
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedService.OpenExisting(name));
    }

    [Fact]
    public void Arguments()
    {
        string name = NewName();
        Fails<ArgumentNullException>("MMF_E_NULL", "name", () => NewQueue(null!));
        Fails<ArgumentNullException>("MMF_E_NULL", "name", () => SharedLatest.OpenExisting(null!));
        Fails<ArgumentException>("MMF_E_INVALID", "empty", () => NewQueue(""));
        Fails<ArgumentException>("MMF_E_INVALID", "overflow", () => NewQueue(name, overflow: 0));
        Fails<ArgumentException>("MMF_E_INVALID", "", () => NewQueue(name, overflow: ChannelOverflow.DropOldest, options:
            new ChannelOptions { SingleProducerSingleConsumer = true }));
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "0", () => NewQueue(name, 0));
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "1024", () => NewQueue(name, options: new() { MaxSenders = 1025 }));
        Check.Throws<ArgumentOutOfRangeException>("messageSize", () => NewQueue(name, -1));
        Check.Throws<ArgumentOutOfRangeException>("capacity", () => NewQueue(name, 64, -1));
        Check.Throws<ArgumentOutOfRangeException>("WaitForName", () => SharedTopic.OpenExisting(
            name, new ChannelOptions { WaitForName = TimeSpan.FromSeconds(-2) }));
        using SharedQueue queue = NewQueue(name);
        Check.Throws<ArgumentOutOfRangeException>("timeout", () => queue.TryReceive(out byte[]? _, TimeSpan.FromMilliseconds(-2)));
        Check.Throws<ArgumentOutOfRangeException>("timeout", () => queue.TryDrain(TimeSpan.FromDays(30)));
        Check.Throws<ArgumentOutOfRangeException>("length", () => queue.Reserve(-1));
        Check.Throws<ArgumentOutOfRangeException>("most", () => SharedQueue.Browse(name, -1));
    }

    [Fact]
    public void Lengths()
    {
        using SharedQueue queue = NewQueue(NewName(), 16);
        foreach (Action tooLong in new Action[] {
            () => queue.Send(new byte[17]), () => queue.TrySend(new byte[17]), () => queue.Reserve(17),
            () => queue.TryReserve(17, out _), () => queue.Send(new Job()), () => queue.TrySend(new Job()) })
        {
            ArgumentOutOfRangeException exception = Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "16", tooLong);
            Assert.Equal("length", exception.ParamName);
        }
        using (Reservation slot = queue.Reserve(8))
        {
            ArgumentOutOfRangeException? tooLong = null;
            try
            {
                slot.Commit(9);
            }
            catch (ArgumentOutOfRangeException exception)
            {
                tooLong = exception;
            }
            Assert.Equal("MMF_E_RANGE", tooLong!.Data["mmf.status"]);
            slot.Commit(8); // it is there yet
        }
        queue.Send(new byte[3]);
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "8", () => queue.Receive(new byte[7]));
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "8", () => queue.Receive<int>());
        Assert.Equal(8, queue.Receive(new byte[8])); // it was the next all the time
        InvalidDataException tooShort = Check.Throws<InvalidDataException>(() => queue.Receive<int>());
        Assert.Contains("has 3 bytes, and Int32 has 4", tooShort.Message, StringComparison.Ordinal);
        Assert.False(queue.TryReceive(out byte[]? _));
    }

    [Fact]
    public void A_full_channel()
    {
        using SharedQueue failing = NewQueue(NewName(), 8, 1, ChannelOverflow.Fail);
        Assert.True(failing.TrySend(1));
        Assert.False(failing.TrySend(2, out ulong unsent, Deadline)); // it does not wait
        Assert.Equal((0UL, ChannelOverflow.Fail), (unsent, failing.Overflow));
        Assert.False(failing.TryReserve(1, out Reservation none));
        none.Dispose();
        Fails<IOException>("MMF_E_FULL", "slots", () => failing.Send(2));
        Fails<IOException>("MMF_E_FULL", "slots", () => failing.SendAsync(new byte[] { 2 }));
        using SharedQueue blocking = NewQueue(NewName(), 8, 1);
        Assert.True(blocking.TrySend(1));
        Assert.False(blocking.TrySend(2, TimeSpan.FromMilliseconds(1)));
        Assert.Equal(ChannelOverflow.Block, blocking.Overflow);
        Assert.Equal(1, blocking.Receive<int>());
    }

    [Fact]
    public void Roles()
    {
        string name = NewName();
        using SharedQueue sender = NewQueue(name, options: new ChannelOptions { Roles = ChannelRoles.Send });
        using SharedQueue receiver = SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Receive });
        sender.Send(1);
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => sender.TryReceive(out byte[]? _));
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => sender.TryTake(out _));
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => receiver.Send(2));
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => receiver.Drain());
        using SharedTopic topic = SharedTopic.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
        topic.Send(1);
        NotSupportedException refused = Check.Throws<NotSupportedException>(() =>
        {
            using Message message = topic.Take();
            message.Return();
        });
        Assert.Contains("Only a queue's can", refused.Message, StringComparison.Ordinal);
        using SharedQueue single = NewQueue(NewName(), options: new() { SingleProducerSingleConsumer = true });
        single.Send(1);
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () =>
        {
            using Message message = single.Take();
            message.Return();
        });
        Assert.Equal(1UL, single.GetStatistics().Received); // by Dispose
    }

    [Fact]
    public void Limits()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name, options: new ChannelOptions { MaxSenders = 1, MaxReceivers = 1 });
        Fails<IOException>("MMF_E_TOO_MANY", "1", () => SharedQueue.OpenExisting(name));
        string single = NewName();
        using SharedTopic topic = SharedTopic.CreateNew(single, 8, 8, ChannelOverflow.Block, new() { SingleProducer = true });
        IOException sharing = Fails<IOException>("MMF_E_SHARING", "", () => SharedTopic.OpenExisting(single));
        Assert.Equal(unchecked((int)0x80070000) | 32, sharing.HResult);
    }

    [Fact]
    public void Reservations()
    {
        using SharedQueue queue = NewQueue(NewName());
        Reservation slot = queue.Reserve(4);
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => queue.Reserve(4));
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => queue.Send(1));
        slot.Commit();
        using Reservation second = queue.Reserve(4);
        bool isRefused = false;
        try
        {
            slot.Commit(); // not the second one's
        }
        catch (InvalidOperationException)
        {
            isRefused = true;
        }
        Assert.True(isRefused);
        slot.Dispose();
        second.Commit();
        Assert.Equal(2UL, queue.GetStatistics().Sent);
    }

    [Fact]
    public void Options_may_differ_by_little()
    {
        var both = new ChannelOptions { MaxPins = 1, EndWithLastPeer = true };
        SharedChannelOptions receiving = both with { Roles = ChannelRoles.Receive };
        Assert.Equal(new ChannelOptions { MaxPins = 1, EndWithLastPeer = true, Roles = ChannelRoles.Receive }, receiving);
        string name = NewName();
        using SharedLatest latest = SharedLatest.CreateNew(name, 8, both);
        using SharedLatest reader = SharedLatest.OpenExisting(name, (ChannelOptions)receiving);
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => reader.Send(1));
        Assert.Equal((1, 1, 2), (latest.GetStatistics().MaxPins, latest.GetStatistics().Senders, latest.GetStatistics().Receivers));
    }

    [Fact]
    public void Statistics_by_name()
    {
        string name = NewName();
        using (SharedQueue queue = NewQueue(name, options: new() { SingleProducerSingleConsumer = true }))
        {
            queue.Send(1);
            ChannelStatistics counted = SharedChannel.GetStatistics(name);
            Assert.Equal((queue.GetStatistics().Identity, 1UL, 64L, 1, 1),
                         (counted.Identity, counted.Sent, counted.MessageSize, counted.Senders, counted.Receivers));
            Assert.Equal((true, false, false), (counted.SingleProducerSingleConsumer, counted.SingleProducer, counted.IsDepthInPart));
        }
        Fails<FileNotFoundException>("MMF_E_NOT_FOUND", name, () => SharedChannel.GetStatistics(name));
        Fails<ArgumentNullException>("MMF_E_NULL", "name", () => SharedChannel.GetStatistics(null!));
        using (SharedTopic.CreateNew(name, 8, 8, ChannelOverflow.Fail, new() { SingleProducer = true }))
        {
            ChannelStatistics counted = SharedChannel.GetStatistics(name);
            Assert.Equal((false, true, ChannelOverflow.Fail),
                         (counted.SingleProducerSingleConsumer, counted.SingleProducer, counted.Overflow));
        }
        using (MemoryMappedFile.CreateNew(name, 8))
            Fails<IOException>("MMF_E_WRONG_KIND", name, () => SharedChannel.GetStatistics(name));
    }

    //
    // Beside events.
    //

    [Fact]
    public void A_message_or_the_stop_event()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name);
        using SharedQueue producer = SharedQueue.OpenExisting(name);
        using SharedTopic topic = SharedTopic.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
        using var stop = new ManualResetEvent(false);
        WaitHandle[] all = [stop, queue.WaitHandle, topic.WaitHandle];
        Assert.Same(queue.WaitHandle, queue.WaitHandle);
        Assert.Equal(WaitHandle.WaitTimeout, WaitHandle.WaitAny(all, 1));
        Assert.False(queue.WaitHandle.WaitOne(0));
        producer.Send(1);
        Assert.Equal(1, WaitHandle.WaitAny(all));
        Assert.True(queue.WaitHandle.WaitOne()); // nothing was taken
        Assert.Equal(1, queue.Receive<int>());
        topic.Send(2);
        Assert.Equal(2, WaitHandle.WaitAny(all));
        stop.Set();
        Assert.Equal(0, WaitHandle.WaitAny(all));
        stop.Reset();
        var sender = new Thread(() => producer.Send(3));
        topic.Receive();
        sender.Start();
        Assert.Equal(1, WaitHandle.WaitAny(all, (int)Deadline.TotalMilliseconds));
        Assert.True(sender.Join(Deadline));
        using var token = new CancellationTokenSource();
        Assert.Equal(1, WaitHandle.WaitAny([token.Token.WaitHandle, queue.WaitHandle])); // .NET's own among them
        Assert.Equal(3, queue.Receive<int>());
    }

    [Fact]
    public void What_a_channels_wait_handle_is_not_for()
    {
        using SharedQueue queue = NewQueue(NewName());
        using SharedQueue sender = NewQueue(NewName(), options: new() { Roles = ChannelRoles.Send });
        using var stop = new ManualResetEvent(true);
        WaitHandle handle = queue.WaitHandle;
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => sender.WaitHandle.WaitOne(0));
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => WaitHandle.WaitAll([stop, handle], 0));
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => WaitHandle.SignalAndWait(handle, stop));
        Assert.Contains("open one for each", Check.Throws<InvalidOperationException>(
            () => WaitHandle.WaitAny([handle, handle], 0)).Message, StringComparison.Ordinal);
        handle.Dispose(); // the channel stays
        queue.Send(1);
        Assert.True(queue.WaitHandle.WaitOne(0));
        queue.Dispose();
        Assert.Equal(nameof(SharedQueue), Check.Throws<ObjectDisposedException>(() => handle.WaitOne(0)).ObjectName);
        Check.Throws<ObjectDisposedException>(() => WaitHandle.WaitAny([stop, handle], 0));
        Backend.PreferSystem = true;
        try
        {
            Check.Throws<PlatformNotSupportedException>(() => sender.WaitHandle.WaitOne(0));
        }
        finally
        {
            Backend.PreferSystem = false;
        }
    }

    //
    // Messages that come from elsewhere.
    //

    private static ulong SendFrom(MessageChannel channel, ulong source, ulong position, int? count = null)
    {
        using Reservation slot = channel.Reserve(8);
        slot.As<ulong>() = position;
        return count is { } some ? slot.CommitFrom(source, position, some) : slot.CommitFrom(source, position);
    }

    private static void AssertCode(int code, IOException exception) =>
        Assert.Equal(unchecked((int)0x80070000) | code, exception.HResult);

    [Fact]
    public void Messages_of_a_source_are_sent_once()
    {
        string name = NewName();
        SharedQueue first = NewQueue(name, 8, 32);
        using SharedQueue second = SharedQueue.OpenExisting(name);
        Assert.Equal(0UL, second.Applied(7));
        ulong sequence = SendFrom(first, 7, 1);
        Assert.True(SendFrom(first, 7, 5) > sequence);
        Assert.Equal(5UL, second.Applied(7));
        AssertCode(183, Fails<IOException>("MMF_E_EXISTS", "position 5 of source 7 is not above 5", () => SendFrom(first, 7, 5)));
        AssertCode(32, Fails<IOException>("MMF_E_SHARING", "source 7", () => SendFrom(second, 7, 6)));
        SendFrom(second, 8, ulong.MaxValue, 3);
        Assert.Equal(ulong.MaxValue, first.Applied(8));
        using (Reservation early = second.Reserve(8))
        {
            SendFrom(first, 7, 6);
            first.Dispose(); // so second takes over
            InvalidOperationException? refused = null;
            try
            {
                early.CommitFrom(7, 7);
            }
            catch (InvalidOperationException exception)
            {
                refused = exception;
            }
            Assert.Equal("MMF_E_STATE", refused!.Data["mmf.status"]);
        }
        SendFrom(second, 7, second.Applied(7) + 1);
        Assert.Equal(7UL, second.Applied(7));
        foreach (ulong position in new ulong[] { 1, 5 })
            Assert.Equal(position, second.Receive<ulong>());
        Assert.Equal(3, second.Receive().Length);
        foreach (ulong position in new ulong[] { 6, 7 })
            Assert.Equal(position, second.Receive<ulong>());
        Assert.False(second.TryReceive(out byte[]? _));
    }

    [Fact]
    public void What_no_message_of_a_source_can_be()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name, 8, 32);
        string? Parameter(string part, Action action) => Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", part, action).ParamName;
        Assert.Equal("source", Parameter("0", () => SendFrom(queue, 0, 1)));
        Assert.Equal("position", Parameter("0", () => SendFrom(queue, 1, 0)));
        Assert.Equal("length", Parameter("9", () => SendFrom(queue, 1, 1, 9)));
        Assert.Equal("source", Parameter("0", () => queue.Applied(0)));
        Check.Throws<ArgumentOutOfRangeException>("count", () => SendFrom(queue, 1, 1, -1));
        Check.Throws<InvalidOperationException>(() => default(Reservation).CommitFrom(1, 1));
        Assert.Equal(0UL, queue.Applied(1));
        using (Reservation slot = queue.Reserve(8))
        {
            slot.CommitFrom(1, 1);
            InvalidOperationException? refused = null;
            try
            {
                slot.CommitFrom(1, 2);
            }
            catch (InvalidOperationException exception)
            {
                refused = exception;
            }
            Assert.NotNull(refused);
        }
        for (ulong source = 2; source <= 16; source++)
            SendFrom(queue, source, 1);
        Fails<IOException>("MMF_E_TOO_MANY", "16 sources", () => SendFrom(queue, 17, 1));
        Assert.Equal(16UL, queue.GetStatistics().Sent); // a failure left nothing behind
        using SharedQueue receiver = SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Receive });
        Assert.Equal(1UL, receiver.Applied(16));
        using SharedTopic topic = SharedTopic.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
        using SharedLatest latest = SharedLatest.CreateNew(NewName(), 8);
        foreach (MessageChannel channel in new MessageChannel[] { topic, latest })
        {
            NotSupportedException exception = Check.Throws<NotSupportedException>(() => SendFrom(channel, 1, 1));
            Assert.Contains($"A {channel.GetType().Name} has no sources", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Closed()
    {
        SharedQueue queue = NewQueue(NewName());
        SharedTopic topic = SharedTopic.CreateNew(NewName(), 8, 8, ChannelOverflow.Block);
        SharedLatest latest = SharedLatest.CreateNew(NewName(), 8);
        SharedService service = SharedService.CreateNew(NewName(), 8, 8, 8);
        foreach (SharedChannel channel in new SharedChannel[] { queue, topic, latest, service })
        {
            channel.Dispose();
            channel.Dispose();
            ObjectDisposedException exception = Check.Throws<ObjectDisposedException>(() => channel.GetStatistics());
            Assert.Equal(channel.GetType().Name, exception.ObjectName);
            Check.Throws<ObjectDisposedException>(() => channel.WaitToReceiveAsync());
        }
        foreach (MessageChannel channel in new MessageChannel[] { queue, topic, latest })
        {
            Check.Throws<ObjectDisposedException>(() => channel.Send(1));
            Check.Throws<ObjectDisposedException>(() => channel.Reserve(1));
            Check.Throws<ObjectDisposedException>(() => channel.Take());
            Check.Throws<ObjectDisposedException>(() => channel.Receive());
            Check.Throws<ObjectDisposedException>(() => channel.Receive<int>());
        }
        Check.Throws<ObjectDisposedException>(() => queue.Drain());
        Check.Throws<ObjectDisposedException>(() => queue.Applied(1));
        Check.Throws<ObjectDisposedException>(() => queue.SendMany<int>([1], TimeSpan.Zero));
        Check.Throws<ObjectDisposedException>(() => latest.WaitForNewer(0, TimeSpan.Zero));
        Check.Throws<ObjectDisposedException>(() => service.Call("x"u8));
        Check.Throws<ObjectDisposedException>(() => service.Take());
    }

    // A native handle is for one thread at a time: a second one is refused, not undefined.
    [Fact]
    public void Two_threads_at_once_are_refused()
    {
        string name = NewName();
        using SharedQueue queue = NewQueue(name);
        using SharedQueue other = NewQueue(name);
        var receiver = new Thread(() =>
        {
            for (bool hasReceived = false; !hasReceived;)
            {
                try
                {
                    queue.Receive();
                    hasReceived = true;
                }
                catch (InvalidOperationException)
                {
                    // It was the second one.
                }
            }
        });
        receiver.Start();
        InvalidOperationException? refused = null;
        for (long end = Environment.TickCount64 + 60_000; refused == null && Environment.TickCount64 < end; Thread.Yield())
        {
            try
            {
                queue.GetStatistics();
            }
            catch (InvalidOperationException exception)
            {
                refused = exception;
            }
        }
        Assert.Contains("open one for each", refused!.Message, StringComparison.Ordinal);
        other.Send(1);
        Assert.True(receiver.Join(Deadline));
    }

    [Fact]
    public void The_last_peer()
    {
        string name = NewName();
        using SharedQueue consumer = NewQueue(name, options: new() { Roles = ChannelRoles.Receive, EndWithLastPeer = true });
        using (SharedQueue producer = SharedQueue.OpenExisting(name, new ChannelOptions { Roles = ChannelRoles.Send }))
            producer.Send("left"u8);
        Assert.Equal("left", Text(consumer.Receive()));
        Fails<EndOfStreamException>("MMF_E_PEER_CLOSED", "", () => consumer.Receive());
        Fails<EndOfStreamException>("MMF_E_PEER_CLOSED", "", () => consumer.Take());
    }
}

/// <summary>Not beside other tests: it counts what the whole process has.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;

[Collection(nameof(Alone))]
public class ChannelLeakTests
{
    // Of all objects of the tests.
    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Count(
        path => new FileInfo(path).LinkTarget is { } target && target.StartsWith(Namespace.Directory, StringComparison.Ordinal));

    private static int Mappings() =>
        File.ReadLines("/proc/self/maps").Count(line => line.Contains(Namespace.Directory, StringComparison.Ordinal));

    private static SharedQueue NewQueue(string name) => SharedQueue.CreateNew(name, 64, 8, ChannelOverflow.Block);

    private static void UseAll(string name)
    {
        using SharedQueue queue = NewQueue(name);
        using SharedTopic topic = SharedTopic.CreateNew(name + "-t", 64, 8, ChannelOverflow.DropOldest);
        using SharedLatest latest = SharedLatest.CreateNew(name + "-l", 64);
        using SharedService service = SharedService.CreateNew(name + "-s", 64, 64, 8);
        foreach (MessageChannel channel in new MessageChannel[] { queue, topic, latest })
        {
            channel.Send(1);
            using (Message message = channel.Take())
                _ = message.As<int>();
            using (channel.Reserve(4))
            {
            }
        }
        service.Send("request"u8);
        using (ServiceRequest request = service.Take())
            request.Answer("answer"u8);
    }

    // What was dropped without Dispose: a handle, with a message and a reservation in place.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Forget(string name)
    {
        SharedQueue queue = NewQueue(name);
        queue.Send(1);
        queue.Take();
        queue.Reserve(1);
    }

    [Fact]
    public void Nothing_is_left()
    {
        string name = ChannelTests.NewName();
        GC.Collect(); // what earlier tests dropped
        GC.WaitForPendingFinalizers();
        int descriptors = Descriptors(), mappings = Mappings();
        using (NewQueue(name))
        {
            Assert.InRange(Descriptors(), descriptors + 1, int.MaxValue);
            Assert.InRange(Mappings(), mappings + 1, int.MaxValue);
        }
        for (int i = 0; i < 20; i++)
            UseAll(name);
        Assert.Equal((descriptors, mappings, 0), (Descriptors(), Mappings(), Namespace.FilesNamed(name)));
        Forget(name);
        for (int i = 0; i < 100 && Namespace.FilesNamed(name) > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.Equal(0, Namespace.FilesNamed(name));
    }
}
