using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Mmf.Channels;

/// <summary>
/// A handle on a channel: a <see cref="SharedQueue"/>, a <see cref="SharedTopic"/>, a
/// <see cref="SharedLatest"/> or a <see cref="SharedService"/>. A channel lives until its last handle is
/// closed or its last process has ended, however it ended. A handle is for one thread at a time, a wait
/// that is not over included; threads that work at once open one each.
/// </summary>
public abstract unsafe class SharedChannel : IDisposable
{
    private PendingWait? pending; // one at a time, as of every call
    private WaitHandle? waitHandle;
    private int reservation; // its number; each has another one
    private bool hasReservation;

    private protected SharedChannel(ChannelHandle handle)
    {
        Handle = handle;
        AtOpening = GetStatistics();
        MessageSize = (int)Math.Min(AtOpening.MessageSize, int.MaxValue);
    }

    // For what does not change.
    private protected ChannelStatistics AtOpening { get; }

    internal ChannelHandle Handle { get; }

    /// <summary>The most bytes of a message; of a service, of a request.</summary>
    public int MessageSize { get; }

    /// <summary>What has happened in the channel since its creation.</summary>
    /// <returns>The counters at this moment.</returns>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ChannelStatistics GetStatistics()
    {
        Native.ChannelStatistics counted;
        nint native = Handle.Enter();
        int rc = Statistics(native, &counted);

        Handle.Exit();
        Check(rc);
        return new ChannelStatistics(counted);
    }

    /// <summary>What has happened in a channel of any kind since its creation, without taking part.</summary>
    /// <param name="name">The channel's name.</param>
    /// <returns>The counters at this moment.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name.</exception>
    /// <exception cref="FileNotFoundException">There is no such channel.</exception>
    /// <exception cref="IOException">The name is another kind's.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static ChannelStatistics GetStatistics(string name)
    {
        Native.ChannelStatistics counted;

        Check(Native.mmf_channel_stat(name, &counted));
        return new ChannelStatistics(counted);
    }

    /// <summary>Closes the handle: no call works any more, and a wait that was begun with await ends with
    /// ObjectDisposedException. Messages, requests, answers and reservations that it has in place keep their
    /// memory: they are still to be read, released, returned or committed, and with the end of the last one the
    /// native handle closes, and its name is released. What was forgotten the garbage collector closes, as it does a
    /// SafeHandle.</summary>
    public void Dispose()
    {
        Handle.Dispose();
        Volatile.Read(ref pending)?.Fail(new ObjectDisposedException(GetType().Name));
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits without a thread until there may be something to receive, or, with EndWithLastPeer,
    /// the last peer is gone. Nothing is taken.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task that ends then.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="NotSupportedException">The handle does not receive.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public Task WaitToReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        PendingWait wait = BeginWait();
        Task<int> task = wait.Start(Timeout.InfiniteTimeSpan, cancellationToken);
        if (Handle.IsDisposed)
            wait.Fail(new ObjectDisposedException(GetType().Name));
        return task;
    }

    /// <summary>Available while there may be something to receive or, with EndWithLastPeer, the last peer is gone: for
    /// WaitAny together with events, semaphores, mutexes and other channels. A wait takes nothing of a channel: TryTake or
    /// TryReceive then. It uses the channel as a call does, and goes with it.</summary>
    /// <exception cref="PlatformNotSupportedException">On Windows, where it cannot wait with .NET's own
    /// objects.</exception>
    public WaitHandle WaitHandle => Backend.IsSystem
        ? throw new PlatformNotSupportedException(
            "On Windows a channel and .NET's own objects have no common wait: use WaitToReceiveAsync and Task.WhenAny.")
        : waitHandle ??= new ChannelWaitHandle(this);

    /// <summary>Begins a wait, which Handle.Exit ends.</summary>
    internal nint EnterToWait() => Waitable(Handle.Enter());

    private PendingWait BeginWait()
    {
        nint native = Handle.Enter();

        try
        {
            PendingWait wait = Waits.Of(Waitable(native));
            wait.Ended = () =>
            {
                Volatile.Write(ref pending, null);
                Handle.Exit();
            };
            Volatile.Write(ref pending, wait);
            return wait;
        }
        catch
        {
            Handle.Exit();
            throw;
        }
    }

    //
    // Writing in place.
    //

    /// <summary>Reserves a slot to write a message in place, of a service a request, and waits for space. A handle has
    /// one at a time.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <returns>The slot: write, commit, dispose.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="IOException">The channel is full, and was made to fail; a service: as many calls are open as
    /// the creator allowed.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public Reservation Reserve(int length)
    {
        Check(Reserve(length, Timeout.Infinite, out Reservation reserved));
        return reserved;
    }

    /// <summary>Reserves a slot to write a message in place, of a service a request, if there is space in
    /// time.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <param name="reserved">The slot: write, commit, dispose.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether there was space.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="IOException">A service: as many calls are open as the creator allowed.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last receiver is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not send.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle, or it has a reservation.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReserve(int length, out Reservation reserved, TimeSpan timeout = default) =>
        HasSpace(Reserve(length, SharedChannelOptions.Milliseconds(timeout), out reserved));

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
    private protected static bool HasSpace(int rc)
    {
        if (rc != Failure.Full)
            Check(rc);
        return rc == Native.Ok;
    }

    //
    // For the kinds.
    //

    private protected abstract int NativeReserve(nint native, nuint length, int timeout, byte** bytes);

    private protected abstract int NativeCommit(nint native, nuint length, ulong* sequence);

    private protected abstract int NativeAbandon(nint native);

    private protected abstract nint Waitable(nint native);

    private protected abstract int Statistics(nint native, Native.ChannelStatistics* counted);

    private protected static void Check(int rc) => Failure.Check(rc, Failure.About.Channel);

    private protected static nuint Size(int value, [CallerArgumentExpression(nameof(value))] string? parameter = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value, parameter);
        return (nuint)value;
    }

    /// <summary>What an open call has answered: whether there is such a channel.</summary>
    private protected static bool IsThere(int rc)
    {
        if (rc != Failure.NotFound)
            Check(rc);
        return rc == Native.Ok;
    }

    /// <summary>Whether there was one in time.</summary>
    private protected static bool Found(int rc)
    {
        Check(rc);
        return rc != Native.TimedOut;
    }
}

internal sealed class ChannelWaitHandle(SharedChannel channel) : WaitHandle(new SafeWaitHandle(channel))
{
    private protected override void Signal() =>
        throw new NotSupportedException("A channel is not signalled: send a message.");
}
