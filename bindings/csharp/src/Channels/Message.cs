// Messages in place: what a receiver reads and a sender writes in the shared memory itself. Both are for
// the stack alone, and end by Dispose: `using`.
using System;
using System.IO;

namespace Mmf.Channels;

/// <summary>What a channel says of a message that was copied, beside its bytes.</summary>
public readonly struct MessageInfo
{
    internal MessageInfo(in Native.Message content)
    {
        Length = (int)content.Length;
        Sequence = content.Sequence;
        Lost = content.Lost;
        Deliveries = (int)content.Deliveries;
        IsRedelivered = (content.Flags & Native.Redelivered) != 0;
        IsLast = (content.Flags & Native.Last) != 0;
    }

    /// <summary>How many bytes it has.</summary>
    public int Length { get; }

    /// <summary>Its number in the channel, of a latest value its version; grows, with gaps. Of an answer, its
    /// call.</summary>
    public ulong Sequence { get; }

    /// <summary>Topic: messages that this subscriber lost right before it, at most: a number that was given up, or passed
    /// over for a pinned message, counts too.</summary>
    public ulong Lost { get; }

    /// <summary>Queue: how often it was given to a consumer, this time included; else 1. Of an answer, how often its
    /// request was given to a server: if it rises, a server has died, and another one begun with the answers
    /// anew.</summary>
    public int Deliveries { get; }

    /// <summary>Queue: a consumer had it, and died or returned it. Of an answer, so its request.</summary>
    public bool IsRedelivered { get; }

    /// <summary>Of an answer: no other one follows to its call.</summary>
    public bool IsLast { get; }
}

/// <summary>
/// A message, read in place. Dispose releases it: of a queue that acknowledges the message. Then its
/// bytes belong to others.
/// </summary>
public readonly unsafe ref struct Message
{
    private readonly MessageChannel? channel;
    private readonly Native.Message content;

    internal Message(MessageChannel channel, Native.Message content)
    {
        this.channel = channel;
        this.content = content;
    }

    /// <summary>The message, until it is released.</summary>
    /// <exception cref="ObjectDisposedException">The channel is closed, and the message released.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            channel?.Handle.CheckTaken();
            return new ReadOnlySpan<byte>(content.Bytes, (int)content.Length);
        }
    }

    /// <summary>Its number in the channel, of a latest value its version; grows, with gaps.</summary>
    public ulong Sequence => content.Sequence;

    /// <summary>Topic: messages that this subscriber lost right before it, at most: a number that was given up, or passed over for a pinned message, counts too.</summary>
    public ulong Lost => content.Lost;

    /// <summary>Queue: a consumer had it, and died or returned it.</summary>
    public bool IsRedelivered => (content.Flags & Native.Redelivered) != 0;

    /// <summary>Queue: how often it was given to a consumer, this time included; else 1.</summary>
    public int Deliveries => (int)content.Deliveries;

    /// <summary>The message as a value, in place.</summary>
    /// <typeparam name="T">A struct without references.</typeparam>
    /// <returns>A reference into the shared memory, until the message is released.</returns>
    /// <exception cref="InvalidDataException">The message has another length than the type.</exception>
    public ref readonly T As<T>() where T : unmanaged
    {
        Value.CheckLength<T>(Bytes.Length);
        return ref *(T*)content.Bytes;
    }

    /// <summary>Releases the message before Dispose.</summary>
    /// <returns>False: a topic without pins has overwritten it meanwhile, so what was read may be of
    /// another message.</returns>
    /// <exception cref="InvalidOperationException">It is not this handle's any more.</exception>
    public bool Release() => Given.Release(content, true);

    /// <summary>Queue: a negative acknowledgement. The message goes to another consumer, with Deliveries
    /// raised; back to this one only if no other takes it.</summary>
    /// <exception cref="NotSupportedException">There is no other consumer: a topic, a latest value, or a
    /// queue with SingleProducerSingleConsumer.</exception>
    /// <exception cref="InvalidOperationException">It is not this handle's any more.</exception>
    public void Return() => Given.Return(content);

    /// <summary>Releases the message, unless that was done.</summary>
    public void Dispose() => channel?.Release(content, false);

    // What the actor of the scenarios keeps of it from one call to the next.
    internal Native.Message Content => content;

    private MessageChannel Given => channel ?? throw new InvalidOperationException("This is no message.");
}

/// <summary>
/// Messages of a queue that were taken with one call, to be read in place. Dispose releases, and so acknowledges, those that
/// are left.
/// </summary>
public readonly ref struct MessageBatch
{
    private readonly SharedQueue? queue;
    private readonly Native.Message[]? contents;

    internal MessageBatch(SharedQueue queue, Native.Message[] contents)
    {
        this.queue = queue;
        this.contents = contents;
    }

    /// <summary>How many they were when they were taken.</summary>
    public int Count => contents?.Length ?? 0;

    /// <summary>One of them, which may be released or returned by itself.</summary>
    /// <param name="index">Which, in the queue's order.</param>
    /// <exception cref="IndexOutOfRangeException">The batch has fewer messages.</exception>
    public Message this[int index] => new(queue!, (contents ?? [])[index]);

    /// <summary>For `foreach`, in the queue's order.</summary>
    /// <returns>The enumerator.</returns>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Releases all of them with one call, before Dispose.</summary>
    /// <exception cref="InvalidOperationException">One of them is not this handle's any more; none was released.</exception>
    public void Release()
    {
        if (contents != null && !queue!.ReleaseMany(contents))
            throw MessageChannel.NotTaken();
    }

    /// <summary>Releases those that were neither released nor returned.</summary>
    public void Dispose()
    {
        if (contents == null || queue!.ReleaseMany(contents))
            return;
        foreach (Message message in this)
            message.Dispose();
    }

    /// <summary>Goes through a batch.</summary>
    public ref struct Enumerator
    {
        private readonly MessageBatch batch;
        private int index = -1;

        internal Enumerator(MessageBatch batch) => this.batch = batch;

        /// <summary>The message.</summary>
        public readonly Message Current => batch[index];

        /// <summary>Goes to the next.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext() => ++index < batch.Count;
    }
}

/// <summary>
/// A slot to write a message into, in place. Commit sends it; Dispose abandons it, unless it was sent.
/// </summary>
public readonly unsafe ref struct Reservation
{
    private readonly SharedChannel? channel;
    private readonly byte* bytes;
    private readonly int length;
    private readonly int number;

    internal Reservation(SharedChannel channel, byte* bytes, int length, int number)
    {
        this.channel = channel;
        this.bytes = bytes;
        this.length = length;
        this.number = number;
    }

    // With the bytes: what the actor of the scenarios keeps of it from one call to the next.
    internal int Number => number;

    /// <summary>Where to write. What stands there is of an older message.</summary>
    /// <exception cref="ObjectDisposedException">The channel is closed, and the message sent.</exception>
    public Span<byte> Bytes
    {
        get
        {
            channel?.Handle.CheckTaken();
            return new Span<byte>(bytes, length);
        }
    }

    /// <summary>The slot as a value.</summary>
    /// <typeparam name="T">A struct without references.</typeparam>
    /// <returns>A reference into the shared memory, until it is sent.</returns>
    /// <exception cref="InvalidDataException">The slot has another length than the type.</exception>
    public ref T As<T>() where T : unmanaged
    {
        Value.CheckLength<T>(Bytes.Length);
        return ref *(T*)bytes;
    }

    /// <summary>Sends all of it.</summary>
    /// <returns>The message's number in the channel, of a latest value its version, of a service the call.</returns>
    /// <exception cref="InvalidOperationException">It was sent or abandoned before.</exception>
    public ulong Commit() => Commit(length);

    /// <summary>Sends the first <paramref name="count"/> bytes of it.</summary>
    /// <param name="count">How many bytes.</param>
    /// <returns>The message's number in the channel, of a latest value its version, of a service the call.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than was reserved.</exception>
    /// <exception cref="InvalidOperationException">It was sent or abandoned before.</exception>
    public ulong Commit(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return (channel ?? throw SharedChannel.NothingReserved()).Commit(number, (nuint)count);
    }

    /// <summary>Sends all of it as a queue's message that comes from elsewhere. The message and its position are one
    /// step: a kill at any moment leaves both or neither, and <see cref="SharedQueue.Applied"/> says which. If this
    /// throws, the slot stays reserved.</summary>
    /// <param name="source">Where it comes from: a number above 0 that the caller gives. One handle at a time sends
    /// what comes from there; a queue knows 16 sources.</param>
    /// <param name="position">Its number there, above that of the source's last message.</param>
    /// <returns>The message's number in the channel.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The source or the position is 0.</exception>
    /// <exception cref="IOException">The position was sent before (HResult 183); another handle sends what comes
    /// from this source (HResult 32); it has 16 other sources.</exception>
    /// <exception cref="NotSupportedException">It is not a queue's.</exception>
    /// <exception cref="InvalidOperationException">It was sent or abandoned before; the handle has just taken over,
    /// and reserved it before the source's last message: abandon it and reserve another.</exception>
    public ulong CommitFrom(ulong source, ulong position) => CommitFrom(source, position, length);

    /// <summary>Sends the first <paramref name="count"/> bytes of it as a queue's message that comes from
    /// elsewhere.</summary>
    /// <param name="source">Where it comes from: a number above 0 that the caller gives.</param>
    /// <param name="position">Its number there, above that of the source's last message.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns>The message's number in the channel.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The source or the position is 0; more than was reserved.</exception>
    /// <exception cref="IOException">The position was sent before (HResult 183); another handle sends what comes
    /// from this source (HResult 32); it has 16 other sources.</exception>
    /// <exception cref="NotSupportedException">It is not a queue's.</exception>
    /// <exception cref="InvalidOperationException">It was sent or abandoned before; the handle has just taken over,
    /// and reserved it before the source's last message: abandon it and reserve another.</exception>
    public ulong CommitFrom(ulong source, ulong position, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return (channel ?? throw SharedChannel.NothingReserved()).CommitFrom(number, (nuint)count, source, position);
    }

    /// <summary>Abandons the slot, unless it was sent.</summary>
    public void Dispose() => channel?.Abandon(number);
}

internal static unsafe class Value
{
    internal static void CheckLength<T>(nint length) where T : unmanaged
    {
        if (length != sizeof(T))
            throw new InvalidDataException($"The message has {length} bytes, and {typeof(T).Name} has {sizeof(T)}: " +
                                           "read its bytes, or use the sender's type.");
    }
}
