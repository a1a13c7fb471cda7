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
public abstract class SharedChannel : IDisposable
{
    private PendingWait? pending; // one at a time, as of every call

    private protected SharedChannel(ChannelHandle handle)
    {
        Handle = handle;
        MessageSize = (int)Math.Min(GetStatistics().MessageSize, int.MaxValue);
    }

    internal ChannelHandle Handle { get; }

    /// <summary>The most bytes of a message; of a service, of a request.</summary>
    public int MessageSize { get; }

    /// <summary>What has happened in the channel since its creation.</summary>
    /// <returns>The counters at this moment.</returns>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public unsafe ChannelStatistics GetStatistics()
    {
        Native.ChannelStatistics counted;
        nint native = Handle.Enter();
        int rc = Statistics(native, &counted);

        Handle.Exit();
        Check(rc);
        return new ChannelStatistics(counted);
    }

    /// <summary>Closes the handle. Messages that are read or written in place stay until they are released,
    /// and the handle with them. A wait that was begun with await ends with ObjectDisposedException.</summary>
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

    private protected abstract nint Waitable(nint native);

    private protected abstract unsafe int Statistics(nint native, Native.ChannelStatistics* counted);

    private protected static void Check(int rc)
    {
        if (rc < 0)
            throw Failure.Of(rc, Failure.About.Channel);
    }

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
