// A wait that was begun with await: no thread of its own sleeps for it on Linux.
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Mmf;

internal abstract class PendingWait
{
    internal const int NotYet = WaitHandle.WaitTimeout;

    private readonly TaskCompletionSource<int> source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration registration;
    private Timer? timer;

    /// <summary>What is to be done when it is over, before the task ends.</summary>
    internal Action? Ended { get; set; }

    /// <summary>How a wait ended: the index of what was available, or a failure.</summary>
    private protected sealed record Outcome(int Index, Exception? Failure = null);

    /// <summary>The task gets the index of what was available, or NotYet.</summary>
    internal Task<int> Start(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            Begin();
        }
        catch (Exception failure)
        {
            Complete(new Outcome(NotYet, failure));
        }
        if (timeout != Timeout.InfiniteTimeSpan && !source.Task.IsCompleted)
            timer = new Timer(_ => End(new Outcome(NotYet)), null, timeout, Timeout.InfiniteTimeSpan);
        registration = cancellationToken.UnsafeRegister(
            (_, token) => Fail(new OperationCanceledException(token)), null);
        Interlocked.MemoryBarrier(); // whichever comes later forgets them: this, or the end of Complete
        if (source.Task.IsCompleted)
            Forget();
        return source.Task;
    }

    internal void Fail(Exception failure) => End(new Outcome(NotYet, failure));

    private protected abstract void Begin();

    /// <summary>Ends the wait like this, unless it is over.</summary>
    private protected abstract void End(Outcome outcome);

    // Once, by the one that has ended it.
    private protected void Complete(Outcome outcome)
    {
        Ended?.Invoke();
        if (outcome.Failure is OperationCanceledException cancelled)
            source.SetCanceled(cancelled.CancellationToken);
        else if (outcome.Failure != null)
            source.SetException(outcome.Failure);
        else
            source.SetResult(outcome.Index);
        Interlocked.MemoryBarrier();
        Forget();
    }

    private void Forget()
    {
        timer?.Dispose();
        registration.Unregister();
    }
}

/// <summary>A wait that the poller's thread looks after.</summary>
internal sealed class PolledWait : PendingWait
{
    private readonly Func<int> look;
    private bool isAdded, isOver; // under the poller's lock

    /// <summary>Objects of libmmf, and what takes one of them: its index, or NotYet.</summary>
    internal PolledWait(nint[] waitables, Func<int> look)
    {
        Waitables = waitables;
        this.look = look;
    }

    internal nint[] Waitables { get; }

    // With the lock: a channel that is disposed meanwhile must not close under the look.
    private protected override void Begin()
    {
        Action? complete;

        lock (Poller.Lock)
        {
            complete = Look();
            if (complete == null && !isOver)
                Add();
        }
        complete?.Invoke();
    }

    private void Add()
    {
        try
        {
            Poller.Add(this);
            isAdded = true;
        }
        catch
        {
            isOver = true;
            throw;
        }
    }

    private protected override void End(Outcome outcome)
    {
        lock (Poller.Lock)
        {
            if (isOver)
                return;
            isOver = true;
            if (isAdded)
                Poller.Remove(this);
        }
        Complete(outcome);
    }

    /// <summary>Something may be available; the poller's lock is held.</summary>
    /// <returns>What to do without the lock, or null.</returns>
    internal Action? Look()
    {
        Outcome outcome;

        if (isOver)
            return null;
        try
        {
            int found = look();
            if (found == NotYet)
                return null;
            outcome = new Outcome(found);
        }
        catch (Exception failure)
        {
            outcome = new Outcome(NotYet, failure);
        }
        isOver = true;
        if (isAdded)
            Poller.Remove(this);
        return () => Complete(outcome);
    }
}

/// <summary>A wait that has a thread: where there is no poller, and for .NET's own handles.</summary>
internal sealed class ThreadWait : PendingWait
{
    private readonly Func<int> block;
    private readonly Action stop;
    private readonly Action close;
    private Outcome? wanted; // under the lock of this
    private bool isOver;

    /// <summary>`block` sleeps until one is available, whose index it answers, or until `stop`, when it
    /// answers NotYet; then `close` is called.</summary>
    internal ThreadWait(Func<int> block, Action stop, Action close)
    {
        this.block = block;
        this.stop = stop;
        this.close = close;
    }

    private protected override void Begin() =>
        new Thread(Run) { IsBackground = true, Name = "mmf wait" }.UnsafeStart();

    private protected override void End(Outcome outcome)
    {
        lock (this)
        {
            if (isOver || wanted != null)
                return;
            wanted = outcome;
            stop();
        }
    }

    private void Run()
    {
        Outcome outcome;

        try
        {
            outcome = new Outcome(block());
        }
        catch (Exception failure)
        {
            outcome = new Outcome(NotYet, failure);
        }
        lock (this)
        {
            isOver = true;
            if (outcome is { Index: NotYet, Failure: null } && wanted != null)
                outcome = wanted;
        }
        close();
        Complete(outcome);
    }
}
