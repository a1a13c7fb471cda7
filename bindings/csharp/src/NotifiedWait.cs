using System;
using System.Threading;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// A wait of which a SynchronizationContext wants to be notified, so that it waits itself and does
/// other work meanwhile. What it waits for must be an object of .NET's own; so it waits for one that
/// never comes, a moment at a time, and this thread looks at ours between.
/// </summary>
internal static class NotifiedWait
{
    private const int Interval = 10; // milliseconds

    internal static SynchronizationContext? Context =>
        SynchronizationContext.Current is { } context && context.IsWaitNotificationRequired() ? context : null;

    /// <summary>What <paramref name="look"/> takes without waiting; it returns WaitTimeout if there is nothing.</summary>
    internal static int For(SynchronizationContext context, int timeout, Func<int> look)
    {
        long end = Environment.TickCount64 + timeout;
        using var never = new SystemThreading.ManualResetEvent(false);
        nint[] handles = [never.SafeWaitHandle.DangerousGetHandle()];

        for (int found = timeout == 0 ? WaitHandle.WaitTimeout : look(); ; found = look())
        {
            if (found != WaitHandle.WaitTimeout)
                return found;
            long left = timeout == Timeout.Infinite ? Interval : end - Environment.TickCount64;
            context.Wait(handles, false, (int)Math.Clamp(left, 0, Interval));
            if (left <= 0)
                return look();
        }
    }
}
