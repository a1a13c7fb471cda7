// A channel's native handle: when it closes, and that one thread at a time uses it.
using System;
using System.Runtime.ConstrainedExecution;
using System.Threading;

namespace Mmf.Channels;

/// <summary>
/// A native handle is for one thread at a time, and its memory must stay while a message is read in
/// place. So a call enters and exits, a second one meanwhile is refused, and the handle closes when it
/// was disposed, no call is in progress, and no message or reservation is left. Whatever was forgotten
/// the garbage collector closes.
/// </summary>
internal sealed unsafe class ChannelHandle : CriticalFinalizerObject, IDisposable
{
    private const int InCall = 1, Disposed = 2;
    internal const int OneTaken = 4;

    private readonly delegate*<nint, void> close;
    private readonly string type;
    private nint target;
    private int state; // InCall, Disposed, and OneTaken for each message or reservation

    internal ChannelHandle(string type, nint target, delegate*<nint, void> close)
    {
        this.type = type;
        this.target = target;
        this.close = close;
    }

    ~ChannelHandle() => Close();

    internal bool IsDisposed => (Volatile.Read(ref state) & Disposed) != 0;

    /// <summary>Begins a call.</summary>
    internal nint Enter()
    {
        for (;;)
        {
            int seen = Volatile.Read(ref state);
            if ((seen & Disposed) != 0)
                throw new ObjectDisposedException(type);
            if (TryEnter(seen))
                return target;
        }
    }

    /// <summary>Begins a call about a message or a reservation; false if nothing is taken any more, so
    /// that the handle may be closed.</summary>
    internal bool TryEnterForTaken(out nint native)
    {
        for (;;)
        {
            int seen = Volatile.Read(ref state);
            native = target;
            if (seen < OneTaken)
                return false;
            if (TryEnter(seen))
                return true;
        }
    }

    private bool TryEnter(int seen)
    {
        if ((seen & InCall) != 0)
            throw new InvalidOperationException(
                $"Another thread, or a wait that is not over, uses this {type}: open one for each.");
        return Interlocked.CompareExchange(ref state, seen | InCall, seen) == seen;
    }

    /// <summary>Ends a call, by which so many more (or fewer) are taken.</summary>
    internal void Exit(int change = 0)
    {
        if (Interlocked.Add(ref state, change - InCall) == Disposed)
            Close();
    }

    /// <summary>What is read in place is there yet.</summary>
    internal void CheckTaken()
    {
        if (Volatile.Read(ref state) < OneTaken)
            throw new ObjectDisposedException(type, $"This message's {type} is closed.");
    }

    public void Dispose()
    {
        if (Interlocked.Or(ref state, Disposed) == 0)
            Close();
    }

    private void Close()
    {
        nint last = Interlocked.Exchange(ref target, 0);

        if (last == 0)
            return;
        close(last);
        GC.SuppressFinalize(this);
    }
}
