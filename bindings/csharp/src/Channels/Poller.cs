using System;
using System.Collections.Generic;
using System.Threading;

namespace Mmf;

/// <summary>
/// One thread and one mmf_poller for all asynchronous waits of the process. What is waited for is in the
/// poller while a wait for it is pending and no longer, since each send or set costs a system call as long
/// as a process polls. A mmf_poller is for one thread at a time: all calls have the lock.
/// </summary>
internal static unsafe class Poller
{
    private const int MostReady = 64;

    private static readonly Dictionary<nint, List<PolledWait>> waits = []; // by waitable
    private static readonly List<PolledWait> descriptors = [];
    private static nint poller;
    private static int pollerDescriptor;
    private static int doorbell; // rung when `descriptors` has changed

    internal static readonly object Lock = new();

    // Once in a process, by the first wait.
    private static void Begin()
    {
        nint made;
        int descriptor;

        if (poller != 0)
            return;
        if (doorbell == 0)
            doorbell = Native.NewDoorbell();
        Check(Native.mmf_poller_create(&made));
        Check(Native.mmf_poller_fd(made, &descriptor));
        poller = made;
        pollerDescriptor = descriptor;
        new Thread(Run) { IsBackground = true, Name = "mmf waits" }.UnsafeStart();
    }

    internal static void Add(PolledWait wait)
    {
        int added = 0;

        Begin();
        if (wait.Descriptor >= 0)
        {
            descriptors.Add(wait);
            Ring();
            return;
        }
        try
        {
            for (; added < wait.Waitables.Length; added++)
                Add(wait, wait.Waitables[added]);
        }
        catch
        {
            while (added > 0)
                Remove(wait, wait.Waitables[--added]);
            throw;
        }
    }

    private static void Add(PolledWait wait, nint waitable)
    {
        if (!waits.TryGetValue(waitable, out List<PolledWait>? same))
        {
            Check(Native.mmf_poller_add(poller, waitable, waitable));
            waits[waitable] = same = [];
        }
        same.Add(wait);
    }

    internal static void Remove(PolledWait wait)
    {
        if (descriptors.Remove(wait))
            Ring();
        foreach (nint waitable in wait.Waitables)
            Remove(wait, waitable);
    }

    private static void Remove(PolledWait wait, nint waitable)
    {
        List<PolledWait> same = waits[waitable];

        same.Remove(wait);
        if (same.Count > 0)
            return;
        waits.Remove(waitable);
        Native.mmf_poller_remove(poller, waitable);
    }

    private static void Ring()
    {
        ulong one = 1;

        Native.write(doorbell, &one, sizeof(ulong));
    }

    //
    // The thread.
    //

    private static void Run()
    {
        for (;;)
        {
            PolledWait[] polled;

            lock (Lock)
                polled = descriptors.ToArray();
            List<Action> toDo = Sleep(polled);
            foreach (Action complete in toDo)
                complete();
        }
    }

    private static List<Action> Sleep(PolledWait[] polled)
    {
        var set = new Native.PollDescriptor[polled.Length + 2];
        var toDo = new List<Action>();

        set[0] = new Native.PollDescriptor { Descriptor = doorbell, Events = Native.PollIn };
        set[1] = new Native.PollDescriptor { Descriptor = pollerDescriptor, Events = Native.PollIn };
        for (int i = 0; i < polled.Length; i++)
            set[i + 2] = new Native.PollDescriptor { Descriptor = polled[i].Descriptor, Events = Native.PollIn };
        fixed (Native.PollDescriptor* descriptors = set)
        {
            if (Native.poll(descriptors, (nuint)set.Length, -1) < 0)
                return toDo;
        }
        lock (Lock)
        {
            ulong number;
            if (set[0].Found != 0)
                Native.read(doorbell, &number, sizeof(ulong));
            if (set[1].Found != 0)
                PollReady(toDo);
            for (int i = 0; i < polled.Length; i++)
            {
                if (set[i + 2].Found != 0)
                    Look(polled[i], toDo);
            }
        }
        return toDo;
    }

    private static void PollReady(List<Action> toDo)
    {
        nint* ready = stackalloc nint[MostReady];
        nuint count;

        if (Native.mmf_poller_ready(poller, ready, MostReady, &count) < 0)
            return;
        for (nuint i = 0; i < count; i++)
        {
            if (!waits.TryGetValue(ready[i], out List<PolledWait>? same))
                continue;
            foreach (PolledWait wait in same.ToArray())
                Look(wait, toDo);
        }
    }

    private static void Look(PolledWait wait, List<Action> toDo)
    {
        Action? complete = wait.Look();

        if (complete != null)
            toDo.Add(complete);
    }

    private static void Check(int rc)
    {
        if (rc < 0)
            throw Failure.Of(rc, Failure.About.Channel);
    }
}
