using System;
using System.Threading;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// WaitAny over mmf's objects and .NET's own. No call waits for both, and a mutex must be taken by
/// the thread that asks, so this thread sleeps on ours and on one event more, which is set when one
/// of .NET's is. Only a ManualResetEvent (a CancellationToken's handle is one) can be watched
/// without taking it; for others this thread looks again every few milliseconds.
/// </summary>
internal sealed class MixedWait
{
    private const int PollInterval = 10; // milliseconds

    private readonly WaitHandle[] handles;
    private readonly WaitHandle[] sleepOn; // ours, in their order, then `doorbell`
    private readonly int[] indexOf;        // what sleepOn[i] is among the handles
    private readonly ManualResetEvent doorbell = new(false);
    private readonly RegisteredWaitHandle?[] watches;
    private bool everythingIsWatched = true;

    internal MixedWait(WaitHandle[] handles)
    {
        int ours = 0;

        this.handles = handles;
        watches = new RegisteredWaitHandle?[handles.Length];
        indexOf = new int[handles.Length];
        for (int i = 0; i < handles.Length; i++)
        {
            if (handles[i].System == null)
                indexOf[ours++] = i;
        }
        sleepOn = new WaitHandle[ours + 1];
        for (int i = 0; i < ours; i++)
            sleepOn[i] = handles[indexOf[i]];
        sleepOn[ours] = doorbell;
    }

    internal int Any(int timeout)
    {
        try
        {
            int found = Look();
            if (found != WaitHandle.WaitTimeout || timeout == 0)
                return found;
            Watch();
            return Sleep(timeout);
        }
        finally
        {
            foreach (RegisteredWaitHandle? watch in watches)
                watch?.Unregister(null);
            doorbell.Dispose();
        }
    }

    private int Sleep(int timeout)
    {
        long end = Environment.TickCount64 + timeout;

        for (;;)
        {
            long left = timeout == Timeout.Infinite ? int.MaxValue : end - Environment.TickCount64;
            if (left < 0)
                left = 0;
            int turn = everythingIsWatched ? (int)left : (int)Math.Min(left, PollInterval);
            int found = SleepOnOurs(turn);
            if (found == WaitHandle.WaitTimeout)
                found = Look();
            if (found != WaitHandle.WaitTimeout || (left == 0 && timeout != Timeout.Infinite))
                return found;
        }
    }

    private int SleepOnOurs(int timeout)
    {
        int found;

        try
        {
            found = WaitHandle.WaitAny(sleepOn, timeout);
        }
        catch (AbandonedMutexException exception)
        {
            throw Abandoned(indexOf[exception.MutexIndex]);
        }
        if (found == WaitHandle.WaitTimeout)
            return found;
        if (found < sleepOn.Length - 1)
            return indexOf[found];
        // The doorbell. What rang may have been reset since; it does not ring twice.
        doorbell.Reset();
        everythingIsWatched = false;
        return WaitHandle.WaitTimeout;
    }

    // Takes the first that is available.
    private int Look()
    {
        for (int i = 0; i < handles.Length; i++)
        {
            try
            {
                if (handles[i].WaitOne(0))
                    return i;
            }
            catch (AbandonedMutexException)
            {
                throw Abandoned(i);
            }
        }
        return WaitHandle.WaitTimeout;
    }

    private AbandonedMutexException Abandoned(int index) => new(index, handles[index]);

    private void Watch()
    {
        for (int i = 0; i < handles.Length; i++)
        {
            switch (handles[i].System)
            {
                case null:
                    break;
                case SystemThreading.ManualResetEvent manual:
                    watches[i] = ThreadPool.RegisterWaitForSingleObject(
                        manual, static (doorbell, _) => Ring((ManualResetEvent)doorbell!), doorbell, Timeout.Infinite, true);
                    break;
                default:
                    everythingIsWatched = false;
                    break;
            }
        }
    }

    private static void Ring(ManualResetEvent doorbell)
    {
        try
        {
            doorbell.Set();
        }
        catch (ObjectDisposedException)
        {
            // The wait is over.
        }
    }
}
