using static Mmf.Failure;

namespace Mmf;

/// <summary>The asynchronous wait for one object of libmmf, which takes nothing: a channel.</summary>
internal static unsafe class Waits
{
    internal static PendingWait Of(nint waitable) =>
        System.OperatingSystem.IsWindows() ? WithThread(waitable)
                                           : new PolledWait([waitable], () => Wait(waitable));

    private static int Wait(nint waitable)
    {
        int rc = Native.mmf_wait_one(waitable, 0);

        Check(rc, About.Channel);
        return rc == Native.TimedOut ? PendingWait.NotYet : 0;
    }

    // Windows has no descriptors to poll.
    private static ThreadWait WithThread(nint waitable)
    {
        nint made;

        Check(Native.mmf_event_create_or_open(null, 0, 1, null, null, &made), About.Channel);
        nint stop = made;
        return new ThreadWait(
            () =>
            {
                nint* objects = stackalloc nint[] { waitable, Native.mmf_event_waitable(stop) };
                int index;
                Check(Native.mmf_wait_any(objects, 2, -1, &index), About.Channel);
                return index == 0 ? 0 : PendingWait.NotYet;
            },
            () => Native.mmf_event_set(stop), () => Native.mmf_event_close(stop));
    }
}
