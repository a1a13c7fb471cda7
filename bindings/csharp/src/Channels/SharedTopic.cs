using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using Mmf.Diagnostics;

namespace Mmf.Channels;

/// <summary>
/// A topic between processes: each message goes to every subscriber that was there, in one order. With
/// DropOldest publishers never wait, and a subscriber that is too slow learns how many messages it lost.
/// A subscriber has one message in place at a time; without pins (<see cref="ChannelOptions.MaxPins"/>)
/// it may be overwritten meanwhile, which <see cref="Message.Release"/> reports.
/// </summary>
public sealed unsafe class SharedTopic : MessageChannel
{
    private OnlyMessage only;

    private SharedTopic(nint topic) : base(new ChannelHandle(nameof(SharedTopic), topic, &Native.mmf_topic_close))
    {
    }

    /// <summary>Creates a topic.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The topic.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">The name is taken (HResult 183), or is another kind's; no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's.</exception>
    public static SharedTopic CreateNew(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                        ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint topic;

        Check(Native.mmf_topic_create_new(name, Size(messageSize), Size(capacity), (int)overflow, &settings, &topic));
        return new SharedTopic(topic);
    }

    /// <summary>Opens the topic of that name, or creates it.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The topic.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedTopic CreateOrOpen(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                           ChannelOptions? options = null) =>
        CreateOrOpen(name, messageSize, capacity, overflow, options, out _);

    /// <summary>The same, and says which it was.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Messages, rounded up to a power of two.</param>
    /// <param name="overflow">What happens to a message when there is no free slot.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <returns>The topic.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedTopic CreateOrOpen(string name, int messageSize, int capacity, ChannelOverflow overflow,
                                           ChannelOptions? options, out bool createdNew)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        int created;
        nint topic;

        Check(Native.mmf_topic_create_or_open(name, Size(messageSize), Size(capacity), (int)overflow, &settings,
                                              &created, &topic));
        createdNew = created != 0;
        return new SharedTopic(topic);
    }

    /// <summary>Opens the topic of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>The topic.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="FileNotFoundException">There is no topic of that name, also after WaitForName.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedTopic OpenExisting(string name, ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint topic;

        Check(Native.mmf_topic_open_existing(name, &settings, &topic));
        return new SharedTopic(topic);
    }

    /// <summary>Opens the topic of that name, if there is one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out SharedTopic? topic,
                                       ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint opened;
        int rc = Native.mmf_topic_open_existing(name, &settings, &opened);

        topic = IsThere(rc) ? new SharedTopic(opened) : null;
        return topic != null;
    }

    /// <summary>How much memory such a topic takes: what its creation reserves. Nothing is created.</summary>
    /// <param name="messageSize">The most bytes of a message.</param>
    /// <param name="capacity">Slots.</param>
    /// <param name="options">The creator's settings; null means all defaults.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ArgumentException">Options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    public static long GetMemorySize(int messageSize, int capacity, ChannelOptions? options = null) =>
        GetMemorySize(NamedObjectKind.Topic, Size(messageSize), Size(capacity), options);

    /// <summary>Sends several values, in order, with one call.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the message.</typeparam>
    /// <param name="values">The values.</param>
    /// <param name="timeout">How long to wait for space for each.</param>
    /// <returns>How many were sent: all, unless the topic was full for that long.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value has more than MessageSize bytes; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public int SendMany<T>(ReadOnlySpan<T> values, TimeSpan timeout) where T : unmanaged =>
        SendMany(values, timeout, &Native.mmf_topic_send_many);

    /// <summary>Sends several messages, in order, with one call.</summary>
    /// <param name="messages">The messages, of up to MessageSize bytes each.</param>
    /// <param name="timeout">How long to wait for space for each.</param>
    /// <returns>How many were sent: all, unless the topic was full for that long.</returns>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, and none was sent; an invalid
    /// timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public int SendMany(IReadOnlyList<ReadOnlyMemory<byte>> messages, TimeSpan timeout) =>
        SendMany(messages, timeout, &Native.mmf_topic_send_many);

    private protected override int NativeSend(nint native, byte* bytes, nuint length, int timeout, ulong* sequence) =>
        Native.mmf_topic_send(native, bytes, length, timeout, sequence);

    private protected override int NativeReserve(nint native, nuint length, int timeout, byte** bytes) =>
        Native.mmf_topic_reserve(native, length, timeout, bytes);

    private protected override int NativeCommit(nint native, nuint length, ulong* sequence) =>
        Native.mmf_topic_commit(native, length, sequence);

    private protected override int NativeAbandon(nint native) => Native.mmf_topic_abandon(native);

    private protected override int NativeTake(nint native, int timeout, Native.Message* message) =>
        only.Note(Native.mmf_topic_take(native, timeout, message), message);

    private protected override int NativeRelease(nint native, Native.Message* message) =>
        only.End(message) ? Native.mmf_topic_release(native) : Failure.State;

    private protected override int NativeReceive(nint native, byte* buffer, nuint capacity, int timeout,
                                                 Native.Message* message)
    {
        nuint length;

        return Native.mmf_topic_receive(native, buffer, capacity, timeout, &length, message);
    }

    private protected override nint Waitable(nint native) => Native.mmf_topic_waitable(native);

    private protected override int Statistics(nint native, Native.ChannelStatistics* counted) =>
        Native.mmf_topic_stat(native, counted);
}
