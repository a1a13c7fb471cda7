using System;
using System.Collections.Generic;
using System.Threading;
using static Mmf.Failure;

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
    private static nint poller;
    private static int descriptor; // the poller's

    internal static readonly object Lock = new();

    // Once in a process, by the first wait.
    private static void Begin()
    {
        nint made;
        int itsDescriptor;

        if (poller != 0)
            return;
        Check(Native.mmf_poller_create(&made), About.Channel);
        Check(Native.mmf_poller_fd(made, &itsDescriptor), About.Channel);
        poller = made;
        descriptor = itsDescriptor;
        new Thread(Run) { IsBackground = true, Name = "mmf waits" }.UnsafeStart();
    }

    internal static void Add(PolledWait wait)
    {
        int added = 0;

        Begin();
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
            Check(Native.mmf_poller_add(poller, waitable, waitable), About.Channel);
            waits[waitable] = same = [];
        }
        same.Add(wait);
    }

    internal static void Remove(PolledWait wait)
    {
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

    //
    // The thread.
    //

    private static void Run()
    {
        var toDo = new List<Action>();

        for (;;)
        {
            var set = new Native.PollDescriptor { Descriptor = descriptor, Events = Native.PollIn };
            Native.poll(&set, 1, -1);
            lock (Lock)
                PollReady(toDo);
            foreach (Action complete in toDo)
                complete();
            toDo.Clear();
        }
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
}
