using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using Mmf.Diagnostics;

namespace Mmf.Channels;

/// <summary>
/// One value between processes, which is replaced; readers see the newest. Readers never wait for writers, nor
/// writers for readers. What a reader has in place is not overwritten before its release: there are
/// <see cref="ChannelOptions.MaxPins"/> slots for that. Take and Receive give the newest value, again if it has not
/// changed, and wait only for the first. WaitForNewer and what is asynchronous wait for a newer one than this
/// handle received last.
/// </summary>
public sealed unsafe class SharedLatest : MessageChannel
{
    private OnlyMessage only;
    private ulong seen; // the version that was received or taken last

    private SharedLatest(nint latest) : base(new ChannelHandle(nameof(SharedLatest), latest, &Native.mmf_latest_close))
    {
    }

    /// <summary>Creates a latest value.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="valueSize">The most bytes of a value.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The latest value.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">The name is taken (HResult 183), or is another kind's; no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's.</exception>
    public static SharedLatest CreateNew(string name, int valueSize, ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint latest;

        Check(Native.mmf_latest_create_new(name, Size(valueSize), &settings, &latest));
        return new SharedLatest(latest);
    }

    /// <summary>Opens the latest value of that name, or creates it.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="valueSize">The most bytes of a value.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The latest value.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedLatest CreateOrOpen(string name, int valueSize, ChannelOptions? options = null) =>
        CreateOrOpen(name, valueSize, options, out _);

    /// <summary>The same, and says which it was.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="valueSize">The most bytes of a value.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <returns>The latest value.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedLatest CreateOrOpen(string name, int valueSize, ChannelOptions? options, out bool createdNew)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        int created;
        nint latest;

        Check(Native.mmf_latest_create_or_open(name, Size(valueSize), &settings, &created, &latest));
        createdNew = created != 0;
        return new SharedLatest(latest);
    }

    /// <summary>Opens the latest value of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>The latest value.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="FileNotFoundException">There is no latest value of that name, also after WaitForName.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedLatest OpenExisting(string name, ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint latest;

        Check(Native.mmf_latest_open_existing(name, &settings, &latest));
        return new SharedLatest(latest);
    }

    /// <summary>Opens the latest value of that name, if there is one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="latest">The latest value.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out SharedLatest? latest,
                                       ChannelOptions? options = null)
    {
        Native.ChannelOptions settings = ChannelOptions.Of(options);
        nint opened;
        int rc = Native.mmf_latest_open_existing(name, &settings, &opened);

        latest = IsThere(rc) ? new SharedLatest(opened) : null;
        return latest != null;
    }

    /// <summary>How much memory such a latest value takes: what its creation reserves. Nothing is created.</summary>
    /// <param name="valueSize">The most bytes of a value.</param>
    /// <param name="options">The creator's settings; null means all defaults.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ArgumentException">Options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    public static long GetMemorySize(int valueSize, ChannelOptions? options = null) =>
        GetMemorySize(NamedObjectKind.Latest, Size(valueSize), 0, options);

    /// <summary>Waits until there is a version newer than this one.</summary>
    /// <param name="version">A version that was received or sent; 0 is the one before the first.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last sender is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool WaitForNewer(ulong version, TimeSpan timeout)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        int rc = Native.mmf_latest_wait(Handle.Enter(), version, milliseconds);

        Handle.Exit();
        return Found(rc);
    }

    private protected override int NativeSend(nint native, byte* bytes, nuint length, int timeout, ulong* sequence) =>
        Native.mmf_latest_send(native, bytes, length, sequence);

    private protected override int NativeReserve(nint native, nuint length, int timeout, byte** bytes) =>
        Native.mmf_latest_reserve(native, length, bytes);

    private protected override int NativeCommit(nint native, nuint length, ulong* sequence) =>
        Native.mmf_latest_commit(native, length, sequence);

    private protected override int NativeAbandon(nint native) => Native.mmf_latest_abandon(native);

    // The newest; before the first one is sent, wait for that.
    private protected override int NativeTake(nint native, int timeout, Native.Message* message)
    {
        int rc = Native.mmf_latest_take(native, message);

        if (rc == Native.TimedOut && timeout != 0)
        {
            rc = Native.mmf_latest_wait(native, 0, timeout);
            if (rc == Native.Ok)
                rc = Native.mmf_latest_take(native, message);
        }
        if (rc == Native.Ok)
            seen = message->Sequence;
        return only.Note(rc, message);
    }

    private protected override int NativeRelease(nint native, Native.Message* message) =>
        only.End(message) ? Native.mmf_latest_release(native) : Failure.State;

    private protected override int NativeReceive(nint native, byte* buffer, nuint capacity, int timeout,
                                                 Native.Message* message)
    {
        int rc = Native.mmf_latest_receive(native, buffer, capacity, &message->Length, &message->Sequence);

        if (rc == Native.Ok && message->Sequence == 0) // before the first
        {
            rc = timeout == 0 ? Native.TimedOut : Native.mmf_latest_wait(native, 0, timeout);
            if (rc == Native.Ok)
                rc = Native.mmf_latest_receive(native, buffer, capacity, &message->Length, &message->Sequence);
        }
        if (rc != Native.Ok)
            return rc;
        message->Deliveries = 1;
        seen = message->Sequence;
        return rc;
    }

    private protected override int HasNew()
    {
        int rc = Native.mmf_latest_wait(Handle.Enter(), seen, 0);

        Handle.Exit();
        return rc;
    }

    private protected override nint Waitable(nint native) => Native.mmf_latest_waitable(native);

    private protected override int Statistics(nint native, Native.ChannelStatistics* counted) =>
        Native.mmf_latest_stat(native, counted);
}
