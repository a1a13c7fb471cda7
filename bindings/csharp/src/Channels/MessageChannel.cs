using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Mmf.Channels;

/// <summary>
/// What a <see cref="SharedQueue"/>, a <see cref="SharedTopic"/> and a <see cref="SharedLatest"/> have in
/// common: sending and receiving, by a copy, as a struct, or in place.
/// </summary>
/// <remarks>
/// A call that has no space or no message in time answers false in its Try form. The other form waits
/// forever, and throws what remains: IOException if the channel is full and was made to fail.
/// </remarks>
public abstract unsafe partial class MessageChannel : SharedChannel
{
    private int reservation; // its number; each has another one
    private bool hasReservation;

    private protected MessageChannel(ChannelHandle handle) : base(handle)
    {
    }

    //
    // Sending.
    //

    /// <summary>Sends a copy of the bytes, and waits for space.</summary>
    /// <param name="message">Up to MessageSize bytes.</param>
    /// <returns>The message's number in the channel, of a latest value its version.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="IOException">The channel is full, and was made to fail.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ulong Send(ReadOnlySpan<byte> message)
    {
        fixed (byte* bytes = message)
        {
            Check(Send(bytes, message.Length, Timeout.Infinite, out ulong sequence));
            return sequence;
        }
    }

    /// <summary>Sends a copy of the bytes, if there is space in time.</summary>
    /// <param name="message">Up to MessageSize bytes.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, TimeSpan timeout = default)
    {
        fixed (byte* bytes = message)
            return HasSpace(Send(bytes, message.Length, ChannelOptions.Milliseconds(timeout), out _));
    }

    /// <summary>Sends a copy of the value, and waits for space.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the message.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The message's number in the channel, of a latest value its version.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more than MessageSize bytes.</exception>
    /// <exception cref="IOException">The channel is full, and was made to fail.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ulong Send<T>(in T value) where T : unmanaged
    {
        fixed (T* bytes = &value)
        {
            Check(Send((byte*)bytes, sizeof(T), Timeout.Infinite, out ulong sequence));
            return sequence;
        }
    }

    /// <summary>Sends a copy of the value, if there is space in time.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the message.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more than MessageSize bytes; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend<T>(in T value, TimeSpan timeout = default) where T : unmanaged
    {
        fixed (T* bytes = &value)
            return HasSpace(Send((byte*)bytes, sizeof(T), ChannelOptions.Milliseconds(timeout), out _));
    }

    /// <summary>Sends a copy of the bytes. While there is no space it looks again every few
    /// milliseconds, without a thread.</summary>
    /// <param name="message">Up to MessageSize bytes.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is sent then.</param>
    /// <returns>A task that ends when it was sent.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return TrySend(message.Span)
            ? ValueTask.CompletedTask
            : new ValueTask(Asynchronous.SendAsync(this, message, cancellationToken));
    }

    /// <summary>Reserves a slot to write a message in place, and waits for space. A handle has one at a time.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <returns>The slot: write, commit, dispose.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="IOException">The channel is full, and was made to fail.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public Reservation Reserve(int length)
    {
        Check(Reserve(length, Timeout.Infinite, out Reservation reserved));
        return reserved;
    }

    /// <summary>Reserves a slot to write a message in place, if there is space in time.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <param name="reserved">The slot: write, commit, dispose.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether there was space.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReserve(int length, out Reservation reserved, TimeSpan timeout = default) =>
        HasSpace(Reserve(length, ChannelOptions.Milliseconds(timeout), out reserved));

    private int Send(byte* bytes, int length, int timeout, out ulong sequence)
    {
        ulong number = 0;
        byte nothing;
        nint native = Handle.Enter();
        int rc = NativeSend(native, length != 0 ? bytes : &nothing, (nuint)length, timeout, &number);

        Handle.Exit();
        sequence = number;
        return rc;
    }

    private int Reserve(int length, int timeout, out Reservation reserved)
    {
        byte* bytes = null;

        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nint native = Handle.Enter();
        int rc = NativeReserve(native, (nuint)length, timeout, &bytes);
        hasReservation |= rc == Native.Ok;
        reserved = rc == Native.Ok ? new Reservation(this, bytes, length, ++reservation) : default;
        Handle.Exit(rc == Native.Ok ? ChannelHandle.OneTaken : 0);
        return rc;
    }

    internal static InvalidOperationException NothingReserved() =>
        new("There is no reservation: it was sent or abandoned.");

    // False: it is over.
    private bool EnterForReservation(int number, out nint native)
    {
        if (!Handle.TryEnterForTaken(out native))
            return false;
        if (hasReservation && number == reservation)
            return true;
        Handle.Exit();
        return false;
    }

    private void ExitFromReservation(bool isOver)
    {
        hasReservation = !isOver;
        Handle.Exit(isOver ? -ChannelHandle.OneTaken : 0);
    }

    internal ulong Commit(int number, nuint length)
    {
        ulong sequence = 0;

        if (!EnterForReservation(number, out nint native))
            throw NothingReserved();
        int rc = NativeCommit(native, length, &sequence);
        return Committed(rc, sequence);
    }

    internal ulong CommitFrom(int number, nuint length, ulong source, ulong position)
    {
        ulong sequence = 0;

        CheckSources();
        if (!EnterForReservation(number, out nint native))
            throw NothingReserved();
        int rc = Native.mmf_queue_commit_from(native, length, source, position, &sequence);
        return Committed(rc, sequence);
    }

    private ulong Committed(int rc, ulong sequence)
    {
        ExitFromReservation(rc == Native.Ok);
        Check(rc);
        return sequence;
    }

    private protected virtual void CheckSources() =>
        throw new NotSupportedException($"A {GetType().Name} has no sources: Commit sends it. Only a queue has.");

    internal void Abandon(int number)
    {
        if (!EnterForReservation(number, out nint native))
            return;
        NativeAbandon(native);
        ExitFromReservation(true);
    }

    // Whether a call that needs a slot has got it.
    private static bool HasSpace(int rc)
    {
        if (rc != Failure.Full)
            Check(rc);
        return rc == Native.Ok;
    }

    //
    // Receiving.
    //

    /// <summary>Takes the next message, to read it in place, and waits for it.</summary>
    /// <returns>The message: read, dispose.</returns>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle; a topic or latest value: it
    /// has a message already.</exception>
    /// <exception cref="IOException">All pins are in use.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public Message Take()
    {
        Take(Timeout.Infinite, out Message message);
        return message;
    }

    /// <summary>Takes the next message, to read it in place, if there is one in time.</summary>
    /// <param name="message">The message: read, dispose.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle; a topic or latest value: it
    /// has a message already.</exception>
    /// <exception cref="IOException">All pins are in use.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryTake(out Message message, TimeSpan timeout = default) =>
        Take(ChannelOptions.Milliseconds(timeout), out message);

    private bool Take(int timeout, out Message message)
    {
        Native.Message content;
        nint native = Handle.Enter();
        int rc = NativeTake(native, timeout, &content);

        Handle.Exit(rc == Native.Ok ? ChannelHandle.OneTaken : 0);
        message = rc == Native.Ok ? new Message(this, content) : default;
        return Found(rc);
    }

    // False: it was overwritten meanwhile.
    internal bool Release(Native.Message content, bool isAsked)
    {
        int rc = Failure.State;

        if (Handle.TryEnterForTaken(out nint native))
        {
            rc = NativeRelease(native, &content);
            Handle.Exit(rc >= 0 ? -ChannelHandle.OneTaken : 0);
        }
        if (isAsked && rc == Failure.State)
            throw NotTaken();
        if (isAsked)
            Check(rc);
        return rc != Native.Overwritten;
    }

    internal virtual void Return(in Native.Message content) =>
        throw new NotSupportedException($"A message of a {GetType().Name} cannot be returned: it goes to every " +
                                        "receiver. Only a queue's can.");

    private protected static InvalidOperationException NotTaken() =>
        new("This handle does not have the message: it was released or returned.");

    /// <summary>Copies the next message, and waits for it.</summary>
    /// <returns>Its bytes.</returns>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public byte[] Receive()
    {
        Found(Receive(Timeout.Infinite, out byte[]? message));
        return message!;
    }

    /// <summary>Copies the next message, if there is one in time.</summary>
    /// <param name="message">Its bytes.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive([NotNullWhen(true)] out byte[]? message, TimeSpan timeout = default)
    {
        Found(Receive(ChannelOptions.Milliseconds(timeout), out message));
        return message != null;
    }

    /// <summary>Copies the next message into a buffer, and waits for it.</summary>
    /// <param name="buffer">Where to put it.</param>
    /// <returns>How many bytes it has.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the buffer, and stays the next one.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public int Receive(Span<byte> buffer)
    {
        Found(Receive(buffer, Timeout.Infinite, out int length));
        return length;
    }

    /// <summary>Copies the next message into a buffer, if there is one in time.</summary>
    /// <param name="buffer">Where to put it.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the buffer, and stays the next one; an
    /// invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive(Span<byte> buffer, out int length, TimeSpan timeout = default) =>
        Found(Receive(buffer, ChannelOptions.Milliseconds(timeout), out length));

    /// <summary>Copies the next message into a value, and waits for it.</summary>
    /// <typeparam name="T">The sender's type: a struct without references.</typeparam>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the type, and stays the next one.</exception>
    /// <exception cref="InvalidDataException">It has fewer bytes than the type; it was received.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public T Receive<T>() where T : unmanaged
    {
        Found(Receive(Timeout.Infinite, out T value));
        return value;
    }

    /// <summary>Copies the next message into a value, if there is one in time.</summary>
    /// <typeparam name="T">The sender's type: a struct without references.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the type, and stays the next one; an
    /// invalid timeout.</exception>
    /// <exception cref="InvalidDataException">It has fewer bytes than the type; it was received.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive<T>(out T value, TimeSpan timeout = default) where T : unmanaged =>
        Found(Receive(ChannelOptions.Milliseconds(timeout), out value));

    private int Receive(Span<byte> buffer, int timeout, out int length)
    {
        fixed (byte* bytes = buffer)
            return Receive(bytes, buffer.Length, timeout, out length);
    }

    private int Receive(byte* buffer, int capacity, int timeout, out int length)
    {
        nuint count = 0;
        byte nothing;
        nint native = Handle.Enter();
        int rc = NativeReceive(native, capacity != 0 ? buffer : &nothing, (nuint)capacity, timeout, &count);

        Handle.Exit();
        length = (int)count;
        return rc;
    }

    private int Receive<T>(int timeout, out T value) where T : unmanaged
    {
        fixed (T* bytes = &value)
        {
            int rc = Receive((byte*)bytes, sizeof(T), timeout, out int length);
            if (rc == Native.Ok)
                Value.CheckLength<T>(length);
            else
                value = default;
            return rc;
        }
    }

    private int Receive(int timeout, out byte[]? message)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MessageSize);

        try
        {
            int rc = Receive(buffer, timeout, out int length);
            message = rc == Native.Ok ? buffer.AsSpan(0, length).ToArray() : null;
            return rc;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A latest value gives the same again; an asynchronous wait is for a newer one.
    private int ReceiveNew(out byte[]? message)
    {
        int rc = HasNew();

        message = null;
        return rc == Native.Ok ? Receive(0, out message) : rc;
    }

    private int ReceiveNew<T>(out T value) where T : unmanaged
    {
        int rc = HasNew();

        value = default;
        return rc == Native.Ok ? Receive(0, out value) : rc;
    }

    private bool TryReceiveNew([NotNullWhen(true)] out byte[]? message)
    {
        Found(ReceiveNew(out message));
        return message != null;
    }

    private bool TryReceiveNew<T>(out T value) where T : unmanaged => Found(ReceiveNew(out value));

    /// <summary>Copies the next message, and waits for it without a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; nothing is received then.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public ValueTask<byte[]> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<byte[]>(cancellationToken);
        return TryReceiveNew(out byte[]? message)
            ? new ValueTask<byte[]>(message)
            : new ValueTask<byte[]>(Asynchronous.ReceiveAsync(this, cancellationToken));
    }

    /// <summary>Copies the next message into a value, and waits for it without a thread.</summary>
    /// <typeparam name="T">The sender's type: a struct without references.</typeparam>
    /// <param name="cancellationToken">Ends the wait; nothing is received then.</param>
    /// <returns>The value.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the type, and stays the next one.</exception>
    /// <exception cref="InvalidDataException">It has fewer bytes than the type; it was received.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public ValueTask<T> ReceiveAsync<T>(CancellationToken cancellationToken = default) where T : unmanaged
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<T>(cancellationToken);
        return TryReceiveNew(out T value)
            ? new ValueTask<T>(value)
            : new ValueTask<T>(Asynchronous.ReceiveAsync<T>(this, cancellationToken));
    }

    /// <summary>All messages as they come, copied. With EndWithLastPeer it ends when the last sender is gone.</summary>
    /// <param name="cancellationToken">Ends the loop with OperationCanceledException.</param>
    /// <returns>For `await foreach`.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public IAsyncEnumerable<byte[]> ReadAllAsync(CancellationToken cancellationToken = default) =>
        Asynchronous.ReadAllAsync(this, cancellationToken);

    /// <summary>All messages as they come, as values. With EndWithLastPeer it ends when the last sender is gone.</summary>
    /// <typeparam name="T">The sender's type: a struct without references.</typeparam>
    /// <param name="cancellationToken">Ends the loop with OperationCanceledException.</param>
    /// <returns>For `await foreach`.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A message has more bytes than the type, and stays the next one.</exception>
    /// <exception cref="InvalidDataException">A message has fewer bytes than the type; it was received.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public IAsyncEnumerable<T> ReadAllAsync<T>(CancellationToken cancellationToken = default) where T : unmanaged =>
        Asynchronous.ReadAllAsync<T>(this, cancellationToken);

    //
    // For the kinds.
    //

    private protected int SendMany<T>(ReadOnlySpan<T> values, TimeSpan timeout,
                                      delegate*<nint, Native.Buffer*, nuint, int, nuint*, int> send)
        where T : unmanaged
    {
        int milliseconds = ChannelOptions.Milliseconds(timeout);
        var buffers = new Native.Buffer[values.Length + 1]; // one more: there is a first one
        nuint sent = 0;

        fixed (T* bytes = values)
        fixed (Native.Buffer* first = buffers)
        {
            for (int i = 0; i < values.Length; i++)
                first[i] = new Native.Buffer { Bytes = (byte*)(bytes + i), Length = (nuint)sizeof(T) };
            int rc = send(Handle.Enter(), first, (nuint)values.Length, milliseconds, &sent);
            Handle.Exit();
            return HasSpace(rc) ? (int)sent : 0;
        }
    }

    private protected abstract int NativeSend(nint native, byte* bytes, nuint length, int timeout, ulong* sequence);

    private protected abstract int NativeReserve(nint native, nuint length, int timeout, byte** bytes);

    private protected abstract int NativeCommit(nint native, nuint length, ulong* sequence);

    private protected abstract int NativeAbandon(nint native);

    private protected abstract int NativeTake(nint native, int timeout, Native.Message* message);

    private protected abstract int NativeRelease(nint native, Native.Message* message);

    private protected abstract int NativeReceive(nint native, byte* buffer, nuint capacity, int timeout,
                                                 nuint* length);

    private protected virtual int HasNew() => Native.Ok;
}

// No await where there are pointers.
public abstract partial class MessageChannel
{
    private static class Asynchronous
    {
        private const int FirstPause = 1, LongestPause = 16; // milliseconds

        internal static async Task SendAsync(MessageChannel channel, ReadOnlyMemory<byte> message,
                                             CancellationToken cancellationToken)
        {
            for (int pause = FirstPause; !channel.TrySend(message.Span); pause = Math.Min(2 * pause, LongestPause))
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }

        internal static async Task<byte[]> ReceiveAsync(MessageChannel channel, CancellationToken cancellationToken)
        {
            byte[]? message;

            do
            {
                await channel.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
            } while (!channel.TryReceiveNew(out message));
            return message;
        }

        internal static async Task<T> ReceiveAsync<T>(MessageChannel channel, CancellationToken cancellationToken)
            where T : unmanaged
        {
            T value;

            do
            {
                await channel.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
            } while (!channel.TryReceiveNew(out value));
            return value;
        }

        internal static async IAsyncEnumerable<byte[]> ReadAllAsync(
            MessageChannel channel, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            for (;;)
            {
                int rc = channel.ReceiveNew(out byte[]? message);
                if (rc == Failure.PeerClosed)
                    yield break;
                if (Found(rc))
                    yield return message!;
                else
                    await channel.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        internal static async IAsyncEnumerable<T> ReadAllAsync<T>(
            MessageChannel channel, [EnumeratorCancellation] CancellationToken cancellationToken)
            where T : unmanaged
        {
            for (;;)
            {
                int rc = channel.ReceiveNew(out T value);
                if (rc == Failure.PeerClosed)
                    yield break;
                if (Found(rc))
                    yield return value;
                else
                    await channel.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
