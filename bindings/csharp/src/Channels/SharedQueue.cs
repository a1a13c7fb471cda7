using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using Mmf.Diagnostics;

namespace Mmf.Channels;

/// <summary>
/// A queue between processes: each message goes to exactly one consumer. Delivery is at least once:
/// releasing a message acknowledges it; if its consumer returns it, dies or closes first, another one
/// gets it, with <see cref="Message.Deliveries"/> raised.
/// </summary>
public sealed unsafe class SharedQueue : MessageChannel
{
    private SharedQueue(nint queue) : base(new ChannelHandle(nameof(SharedQueue), queue, &Native.mmf_queue_close))
    {
    }

    /// <summary>Creates a queue.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The queue.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">The name is taken (HResult 183), or is another kind's; no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's.</exception>
    public static SharedQueue CreateNew(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                        ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint queue;

        Check(Native.mmf_queue_create_new(name, Size(messageSize), Size(capacity), (int)overflow, &settings, &queue));
        return new SharedQueue(queue);
    }

    /// <summary>Opens the queue of that name, or creates it.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The queue.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedQueue CreateOrOpen(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                           ChannelOptions? options = null) =>
        CreateOrOpen(name, messageSize, capacity, overflow, options, out _);

    /// <summary>The same, and says which it was.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <returns>The queue.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedQueue CreateOrOpen(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                           ChannelOptions? options, out bool createdNew)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        int created;
        nint queue;

        Check(Native.mmf_queue_create_or_open(name, Size(messageSize), Size(capacity), (int)overflow, &settings,
                                              &created, &queue));
        createdNew = created != 0;
        return new SharedQueue(queue);
    }

    /// <summary>Opens the queue of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>The queue.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="FileNotFoundException">There is no queue of that name, also after WaitForName.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedQueue OpenExisting(string name, ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint queue;

        Check(Native.mmf_queue_open_existing(name, &settings, &queue));
        return new SharedQueue(queue);
    }

    /// <summary>Opens the queue of that name, if there is one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out SharedQueue? queue,
                                       ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint opened;
        int rc = Native.mmf_queue_open_existing(name, &settings, &opened);

        queue = IsThere(rc) ? new SharedQueue(opened) : null;
        return queue != null;
    }

    /// <summary>How much memory such a queue takes: what its creation reserves. Nothing is created.</summary>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Slots.</param>
    /// <param name="options">The creator's settings; null means all defaults.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ArgumentException">Options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    public static long GetMemorySize(int messageSize, int capacity, ChannelOptions? options = null) =>
        GetMemorySize(NamedObjectKind.Queue, Size(messageSize), Size(capacity), options);

    /// <summary>Sends several values, in order, with one call.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the message.</typeparam>
    /// <param name="values">The values.</param>
    /// <param name="timeout">How long to wait for space for each.</param>
    /// <returns>How many were sent: all, unless the queue was full for that long.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value has more than MessageSize bytes; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public int SendMany<T>(ReadOnlySpan<T> values, TimeSpan timeout) where T : unmanaged =>
        SendMany(values, timeout, &Native.mmf_queue_send_many);

    /// <summary>Sends several messages, in order, with one call.</summary>
    /// <param name="messages">The messages, of up to MessageSize bytes each.</param>
    /// <param name="timeout">How long to wait for space for each.</param>
    /// <returns>How many were sent: all, unless the queue was full for that long.</returns>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, and none was sent; an invalid
    /// timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public int SendMany(IReadOnlyList<ReadOnlyMemory<byte>> messages, TimeSpan timeout) =>
        SendMany(messages, timeout, &Native.mmf_queue_send_many);

    /// <summary>Takes the next messages, to read them in place, and waits for the first.</summary>
    /// <param name="most">How many at most.</param>
    /// <returns>The messages: read, dispose.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Less than one.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public MessageBatch TakeMany(int most)
    {
        TryTakeMany(most, out MessageBatch batch, Timeout.InfiniteTimeSpan);
        return batch;
    }

    /// <summary>Takes the next messages, to read them in place, if there is one in time.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="batch">The messages: read, dispose.</param>
    /// <param name="timeout">How long to wait for the first.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Less than one; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryTakeMany(int most, out MessageBatch batch, TimeSpan timeout = default)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        int room = (int)Math.Min((long)Size(most), AtOpening.Capacity);
        var contents = new Native.Message[Math.Max(room, 1)]; // one more than none: there is a first one
        nuint count = 0;
        int rc;

        fixed (Native.Message* first = contents)
            rc = Native.mmf_queue_take_many(Handle.Enter(), (nuint)room, milliseconds, first, &count);
        Handle.Exit(rc == Native.Ok ? (int)count * ChannelHandle.OneTaken : 0);
        batch = rc == Native.Ok ? new MessageBatch(this, contents[..(int)count]) : default;
        return Found(rc);
    }

    // All of them, or none.
    internal bool ReleaseMany(Native.Message[] contents)
    {
        int rc = Failure.State;

        if (Handle.TryEnterForTaken(out nint native))
        {
            fixed (Native.Message* first = contents)
                rc = Native.mmf_queue_release_many(native, first, (nuint)contents.Length);
            Handle.Exit(rc >= 0 ? -contents.Length * ChannelHandle.OneTaken : 0);
        }
        if (rc != Failure.State)
            Check(rc);
        return rc == Native.Ok;
    }

    /// <summary>Waits until every message that was sent before this call, by any producer, was released or
    /// dropped. For a handle that sends.</summary>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: some are left, and the last consumer is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public void Drain() => TryDrain(Timeout.InfiniteTimeSpan);

    /// <summary>The same, for some time.</summary>
    /// <param name="timeout">How long.</param>
    /// <returns>False: some are left.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: some are left, and the last consumer is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryDrain(TimeSpan timeout)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        int rc = Native.mmf_queue_drain(Handle.Enter(), milliseconds);

        Handle.Exit();
        return Found(rc);
    }

    /// <summary>The last position of a source that <see cref="Reservation.CommitFrom(ulong, ulong)"/> has sent. Its
    /// message is in the queue, or has left it, and none of a later position ever was in it: what a process had begun
    /// that died is settled first. So a process that takes over goes on with the message after it.</summary>
    /// <param name="source">The source's number.</param>
    /// <returns>The position; 0: none was sent.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The source is 0.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ulong Applied(ulong source)
    {
        ulong position = 0;
        int rc = Native.mmf_queue_applied(Handle.Enter(), source, &position);

        Handle.Exit();
        Check(rc);
        return position;
    }

    /// <summary>What is in a queue, the oldest first, without taking part. Others go on meanwhile, so it is
    /// not one moment's state.</summary>
    /// <param name="name">The queue's name.</param>
    /// <param name="most">How many messages at most.</param>
    /// <param name="each">How many bytes of each message to copy at most. What is copied was one message; one that is
    /// released meanwhile is not among them.</param>
    /// <returns>The messages.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A negative number.</exception>
    /// <exception cref="OverflowException">The bytes of all of them are more than an array has.</exception>
    /// <exception cref="FileNotFoundException">There is no queue of that name.</exception>
    /// <exception cref="IOException">The name is another kind's.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static QueueItem[] Browse(string name, int most = 1000, int each = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        ArgumentOutOfRangeException.ThrowIfNegative(each);
        ChannelStatistics limits = GetStatistics(name);
        most = (int)Math.Min(most, limits.Capacity);
        each = (int)Math.Min(each, limits.MessageSize);
        var items = new Native.QueueItem[Math.Max(most, 1)];
        var copies = new byte[checked(most * each)];
        nuint count;

        fixed (Native.QueueItem* first = items)
        fixed (byte* bytes = copies)
        {
            Check(Native.mmf_queue_browse_bytes(name, first, (nuint)most, bytes, (nuint)each, &count));
            return Array.ConvertAll(items[..(int)count], item => new QueueItem(item)); // with what it copies
        }
    }

    internal override void Return(in Native.Message content)
    {
        Native.Message message = content;

        if (!Handle.TryEnterForTaken(out nint native))
            throw NotTaken();
        int rc = Native.mmf_queue_return(native, &message);
        Handle.Exit(rc >= 0 ? -ChannelHandle.OneTaken : 0);
        Check(rc);
    }

    private protected override int NativeSend(nint native, byte* bytes, nuint length, int timeout, ulong* sequence) =>
        Native.mmf_queue_send(native, bytes, length, timeout, sequence);

    private protected override int NativeReserve(nint native, nuint length, int timeout, byte** bytes) =>
        Native.mmf_queue_reserve(native, length, timeout, bytes);

    private protected override int NativeCommit(nint native, nuint length, ulong* sequence) =>
        Native.mmf_queue_commit(native, length, sequence);

    private protected override void CheckSources()
    {
    }

    private protected override int NativeAbandon(nint native) => Native.mmf_queue_abandon(native);

    private protected override int NativeTake(nint native, int timeout, Native.Message* message) =>
        Native.mmf_queue_take(native, timeout, message);

    private protected override int NativeRelease(nint native, Native.Message* message) =>
        Native.mmf_queue_release(native, message);

    private protected override int NativeReceive(nint native, byte* buffer, nuint capacity, int timeout,
                                                 Native.Message* message)
    {
        nuint length;

        return Native.mmf_queue_receive(native, buffer, capacity, timeout, &length, message);
    }

    private protected override nint Waitable(nint native) => Native.mmf_queue_waitable(native);

    private protected override int Statistics(nint native, Native.ChannelStatistics* counted) =>
        Native.mmf_queue_stat(native, counted);
}
