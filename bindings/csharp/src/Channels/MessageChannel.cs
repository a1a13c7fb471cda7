using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Mmf.Diagnostics;

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
    private protected MessageChannel(ChannelHandle handle) : base(handle)
    {
    }

    /// <summary>What happens to a message when there is no free slot; of a latest value DropOldest. So it says what a
    /// TrySend means that answers false: with Fail the channel is full, else the time ran out.</summary>
    public ChannelOverflow Overflow => AtOpening.Overflow;

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
    /// <returns>Whether it was sent. False: with <see cref="ChannelOverflow.Fail"/> the channel is full, and the call
    /// has not waited; else the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, TimeSpan timeout = default) => TrySend(message, out _, timeout);

    /// <summary>The same, and says the number.</summary>
    /// <param name="message">Up to MessageSize bytes.</param>
    /// <param name="sequence">The message's number in the channel, of a latest value its version; 0 if it was not
    /// sent.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether it was sent. False: with <see cref="ChannelOverflow.Fail"/> the channel is full, and the call
    /// has not waited; else the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, out ulong sequence, TimeSpan timeout = default)
    {
        fixed (byte* bytes = message)
            return HasSpace(Send(bytes, message.Length, SharedChannelOptions.Milliseconds(timeout), out sequence));
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
    /// <returns>Whether it was sent. False: with <see cref="ChannelOverflow.Fail"/> the channel is full, and the call
    /// has not waited; else the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more than MessageSize bytes; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend<T>(in T value, TimeSpan timeout = default) where T : unmanaged =>
        TrySend(value, out _, timeout);

    /// <summary>The same, and says the number.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the message.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="sequence">The message's number in the channel, of a latest value its version; 0 if it was not
    /// sent.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether it was sent. False: with <see cref="ChannelOverflow.Fail"/> the channel is full, and the call
    /// has not waited; else the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more than MessageSize bytes; an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend<T>(in T value, out ulong sequence, TimeSpan timeout = default) where T : unmanaged
    {
        fixed (T* bytes = &value)
            return HasSpace(Send((byte*)bytes, sizeof(T), SharedChannelOptions.Milliseconds(timeout), out sequence));
    }

    /// <summary>Sends a copy of the bytes. While there is no space it looks again every few
    /// milliseconds, without a thread.</summary>
    /// <param name="message">Up to MessageSize bytes.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is sent then.</param>
    /// <returns>The message's number in the channel, of a latest value its version.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="IOException">The channel is full, and was made to fail.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ValueTask<ulong> SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<ulong>(cancellationToken);
        return HasSent(message.Span, out ulong sequence)
            ? new ValueTask<ulong>(sequence)
            : new ValueTask<ulong>(Asynchronous.SendAsync(this, message, cancellationToken));
    }

    // As Send, but it does not wait.
    private bool HasSent(ReadOnlySpan<byte> message, out ulong sequence)
    {
        fixed (byte* bytes = message)
            return Found(Send(bytes, message.Length, 0, out sequence));
    }

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
        Take(SharedChannelOptions.Milliseconds(timeout), out message);

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

    internal static InvalidOperationException NotTaken() =>
        new("This handle does not have the message: it was released or returned.");

    /// <summary>Copies the next message, and waits for it.</summary>
    /// <returns>Its bytes.</returns>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public byte[] Receive()
    {
        Found(Receive(Timeout.Infinite, out byte[]? message, out _));
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
    public bool TryReceive([NotNullWhen(true)] out byte[]? message, TimeSpan timeout = default) =>
        TryReceive(out message, out _, timeout);

    /// <summary>The same, and says what the channel knows of it.</summary>
    /// <param name="message">Its bytes.</param>
    /// <param name="info">Its number or version, and how it came.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive([NotNullWhen(true)] out byte[]? message, out MessageInfo info, TimeSpan timeout = default)
    {
        Found(Receive(SharedChannelOptions.Milliseconds(timeout), out message, out info));
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
        Found(Receive(buffer, Timeout.Infinite, out MessageInfo info));
        return info.Length;
    }

    /// <summary>Copies the next message into a buffer, if there is one in time.</summary>
    /// <param name="buffer">Where to put it.</param>
    /// <param name="info">How many bytes it has, its number or version, and how it came.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the buffer, and stays the next one; an
    /// invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive(Span<byte> buffer, out MessageInfo info, TimeSpan timeout = default) =>
        Found(Receive(buffer, SharedChannelOptions.Milliseconds(timeout), out info));

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
        Found(Receive(Timeout.Infinite, out T value, out _));
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
        TryReceive(out value, out _, timeout);

    /// <summary>The same, and says what the channel knows of it.</summary>
    /// <typeparam name="T">The sender's type: a struct without references.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="info">Its number or version, and how it came.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more bytes than the type, and stays the next one; an
    /// invalid timeout.</exception>
    /// <exception cref="InvalidDataException">It has fewer bytes than the type; it was received.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no message, and the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceive<T>(out T value, out MessageInfo info, TimeSpan timeout = default) where T : unmanaged =>
        Found(Receive(SharedChannelOptions.Milliseconds(timeout), out value, out info));

    private int Receive(Span<byte> buffer, int timeout, out MessageInfo info)
    {
        fixed (byte* bytes = buffer)
            return Receive(bytes, buffer.Length, timeout, out info);
    }

    private int Receive(byte* buffer, int capacity, int timeout, out MessageInfo info)
    {
        Native.Message content = default;
        byte nothing;
        nint native = Handle.Enter();
        int rc = NativeReceive(native, capacity != 0 ? buffer : &nothing, (nuint)capacity, timeout, &content);

        Handle.Exit();
        info = new MessageInfo(content);
        return rc;
    }

    private int Receive<T>(int timeout, out T value, out MessageInfo info) where T : unmanaged
    {
        fixed (T* bytes = &value)
        {
            int rc = Receive((byte*)bytes, sizeof(T), timeout, out info);
            if (rc == Native.Ok)
                Value.CheckLength<T>(info.Length);
            else
                value = default;
            return rc;
        }
    }

    private int Receive(int timeout, out byte[]? message, out MessageInfo info)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MessageSize);

        try
        {
            int rc = Receive(buffer, timeout, out info);
            message = rc == Native.Ok ? buffer.AsSpan(0, info.Length).ToArray() : null;
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
        return rc == Native.Ok ? Receive(0, out message, out _) : rc;
    }

    private int ReceiveNew<T>(out T value) where T : unmanaged
    {
        int rc = HasNew();

        value = default;
        return rc == Native.Ok ? Receive(0, out value, out _) : rc;
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

    private protected static long GetMemorySize(NamedObjectKind kind, nuint messageSize, nuint capacity,
                                                ChannelOptions? options)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        long bytes;

        Check(Native.mmf_channel_size((int)kind, messageSize, capacity, &settings, &bytes));
        return bytes;
    }

    private protected int SendMany<T>(ReadOnlySpan<T> values, TimeSpan timeout,
                                      delegate*<nint, Native.Buffer*, nuint, int, nuint*, int> send)
        where T : unmanaged
    {
        var buffers = new Native.Buffer[values.Length];

        fixed (T* bytes = values)
        {
            for (int i = 0; i < values.Length; i++)
                buffers[i] = new Native.Buffer { Bytes = (byte*)(bytes + i), Length = (nuint)sizeof(T) };
            return SendMany(buffers, timeout, send);
        }
    }

    private protected int SendMany(IReadOnlyList<ReadOnlyMemory<byte>> messages, TimeSpan timeout,
                                   delegate*<nint, Native.Buffer*, nuint, int, nuint*, int> send)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var buffers = new Native.Buffer[messages.Count];
        var pins = new MemoryHandle[buffers.Length];
        byte nothing; // an empty message has an address, too

        try
        {
            for (int i = 0; i < buffers.Length; i++)
            {
                ReadOnlyMemory<byte> message = messages[i];
                pins[i] = message.Pin();
                buffers[i] = new Native.Buffer
                {
                    Bytes = message.IsEmpty ? &nothing : (byte*)pins[i].Pointer,
                    Length = (nuint)message.Length,
                };
            }
            return SendMany(buffers, timeout, send);
        }
        finally
        {
            foreach (MemoryHandle pin in pins)
                pin.Dispose();
        }
    }

    private int SendMany(Native.Buffer[] buffers, TimeSpan timeout,
                         delegate*<nint, Native.Buffer*, nuint, int, nuint*, int> send)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        nuint sent = 0;
        Native.Buffer none;

        fixed (Native.Buffer* first = buffers)
        {
            int rc = send(Handle.Enter(), first != null ? first : &none, (nuint)buffers.Length, milliseconds, &sent);
            Handle.Exit();
            return HasSpace(rc) ? (int)sent : 0;
        }
    }

    private protected abstract int NativeSend(nint native, byte* bytes, nuint length, int timeout, ulong* sequence);

    private protected abstract int NativeTake(nint native, int timeout, Native.Message* message);

    private protected abstract int NativeRelease(nint native, Native.Message* message);

    // `message` is zeroed; what is received fills it.
    private protected abstract int NativeReceive(nint native, byte* buffer, nuint capacity, int timeout,
                                                 Native.Message* message);

    private protected virtual int HasNew() => Native.Ok;
}

// No await where there are pointers.
public abstract partial class MessageChannel
{
    private static class Asynchronous
    {
        private const int FirstPause = 1, LongestPause = 16; // milliseconds

        internal static async Task<ulong> SendAsync(MessageChannel channel, ReadOnlyMemory<byte> message,
                                                    CancellationToken cancellationToken)
        {
            ulong sequence;

            for (int pause = FirstPause; !channel.HasSent(message.Span, out sequence);
                 pause = Math.Min(2 * pause, LongestPause))
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            return sequence;
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
